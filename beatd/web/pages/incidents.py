"""The page /incidents, which lists present and past problems, such as failing entries."""

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beatd.alerts.flapping import is_mute
from beatd.incident import Incident
from beatd.web.pages.moments import span
from beatd.web.pages.rendering import live_page, moments_of, site_of
from beatd.web.visitor import needs

PATH = "/incidents"
OPEN_MAX = 200
CLOSED_MAX = 100


class IncidentLine(Struct, frozen=True):
    """A line in the list of problems: how long one lasted, and whether a message was sent about
    it."""

    incident: Incident
    lasted: str
    said: str


def incident_line(one: Incident) -> IncidentLine:
    """Return the line that shows a problem; `lasted` is "" while the problem continues."""
    lasted = "" if one.closed is None else span(one.closed - one.opened)
    if is_mute(one.flaps):
        said = "no, it opens too often"
    else:
        said = "not yet" if one.announced is None else "yes"
    return IncidentLine(one, lasted, said)


@needs("viewer")
def show(request: Request) -> Response:
    """Return the page /incidents, with the present problems and the last ones that ended."""
    site = site_of(request)
    store, shown = site.open_store(), moments_of(request)
    name = request.query_params.get("entry", "").strip()
    found = [one for one in store.incidents.open_incidents() if one.closed is None]
    opened = [one for one in reversed(found) if name in ("", one.name)]
    last = store.incidents.incidents(name or None, CLOSED_MAX + len(opened))
    closed = [one for one in last if one.closed is not None][:CLOSED_MAX]
    return live_page(
        request,
        "incidents.html",
        shown,
        entry=name,
        open_count=len(opened),
        opened=[incident_line(one) for one in opened[:OPEN_MAX]],
        closed=[incident_line(one) for one in closed],
        judges=site.settings.judges,
    )


def routes() -> list[Route]:
    """Return the Starlette route of the page /incidents."""
    return [Route(PATH, show, methods=["GET"])]
