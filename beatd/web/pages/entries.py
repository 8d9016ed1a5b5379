"""The page /entries, which lists all entries with a search, filters and check boxes."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beatd.presence import INVALID_SOURCE, Presence
from beatd.views.pause_text import end_text
from beatd.web.kept import kept_of
from beatd.web.pages.addresses import Place
from beatd.web.pages.entry_list import (
    ORDERS,
    STATES,
    count_text,
    fields_of,
    found_page,
    lines_of,
    place_text,
    position_of,
    search_of,
)
from beatd.web.pages.owner_words import owner_word
from beatd.web.pages.rendering import live_page, moments_of, site_of
from beatd.web.visitor import needs

PATH = "/entries"
COUNT_KEPT_S = 60.0  # unless an entry changes


@needs("viewer")
def show(request: Request) -> Response:
    """Return the page /entries, with the entries that match the search in the URL."""
    store, shown = site_of(request).open_store(), moments_of(request)
    search, place = search_of(request.query_params), Place.of(request)
    page = found_page(store, search, shown.now, position_of(place.here))
    fields = fields_of(search)
    count = kept_of(request).get(
        ("count", store.catalog.version(), *fields.values(), place.here),
        lambda: count_text(store, search, page, first=not place.here),
        COUNT_KEPT_S,
    )
    is_whole = not any(fields.values()) and not place.here and page.rest is None
    return live_page(
        request,
        "entries.html",
        shown,
        lines=lines_of(store, page, shown),
        pages=place.pages(PATH, fields, place_text(page.rest)),
        fields=fields,
        is_filtered=bool(search.text or search.source or search.state),
        count=count,
        states=STATES,
        orders=ORDERS,
        unreadable=store.catalog.count() - len(page.entries) if is_whole else 0,
        unapplied=problems_of(store.presences.daemons()),
        owner_word=owner_word,
        end_text=lambda until: end_text(until, shown.now, site_of(request).timezone),
    )


def problems_of(daemons: Sequence[Presence]) -> list[str]:
    """Return the texts of all daemons about declared entries that are not applied, without
    repeats."""
    texts = (text.removeprefix(INVALID_SOURCE) for one in daemons for text in one.problems)
    return list(dict.fromkeys(texts))


def routes() -> list[Route]:
    """Return the Starlette route of the page /entries."""
    return [Route(PATH, show, methods=["GET"])]
