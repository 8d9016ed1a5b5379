"""The image /badge/NAME.svg, which shows the name and state of an entry on other websites."""

from datetime import datetime
from hashlib import sha256
from unicodedata import east_asian_width

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from beatd.edits.editing import rows
from beatd.store import Roles
from beatd.views.shown_outcomes import shown_outcomes
from beatd.web.pages.entry_state import EntryState, entry_state, newest_run
from beatd.web.pages.rendering import site_of
from beatd.web.raw_path_route import RawPathRoute
from beatd.web.visitor import needs

NAME_CHARS_MAX = 60
RECORDS_READ = 5
HEIGHT, PAD = 20, 6  # pixels
NARROW, WIDE = 6.6, 11.5  # pixels of a letter
UNKNOWN = EntryState("unknown", "off")
#: Each with white letters on it has a contrast above 4.5.
COLOURS = {
    "ok": "#1a7243",
    "bad": "#b3261e",
    "warn": "#8a5a00",
    "run": "#1556a5",
    "pause": "#57606c",
    "off": "#57606c",
}
_SVG = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" '
    'aria-label="{label}: {value}"><title>{label}: {value}</title>'
    '<rect width="{left}" height="{height}" fill="#333a45"/>'
    '<rect x="{left}" width="{right}" height="{height}" fill="{colour}"/>'
    '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
    '<text x="{pad}" y="14" textLength="{label_width}">{label}</text>'
    '<text x="{value_at}" y="14" textLength="{value_width}">{value}</text></g></svg>\n'
)


def badge(label: str, state: EntryState) -> str:
    """Return an SVG image with a label on the left, and a state in its colour on the right."""
    label_width, value_width = _width(label), _width(state.word)
    left, right = label_width + 2 * PAD, value_width + 2 * PAD
    return _SVG.format(
        label=label,
        value=state.word,
        colour=COLOURS[state.kind],
        width=left + right,
        height=HEIGHT,
        left=left,
        right=right,
        pad=PAD,
        label_width=label_width,
        value_at=left + PAD,
        value_width=value_width,
    )


def badge_state(store: Roles, name: str, now: datetime) -> EntryState:
    """Return the state that an entry's badge shows; for a healthy entry, its last outcome."""
    row = rows(store.catalog, (name,)).get(name)
    if row is None:
        return UNKNOWN
    outcome = shown_outcomes(store, [row], now).get(name)
    records = store.history.newest_records([name], RECORDS_READ).get(name, ())
    state = entry_state(row, outcome, newest_run(records), now)
    if state.kind == "ok" and outcome is not None:
        return EntryState(outcome.newest.state, "ok")
    return state


@needs("viewer")
def show(request: Request) -> Response:
    """Return the badge of an entry; if there is no such entry, status 404 and the badge
    "unknown"."""
    name = request.path_params["name"]
    site = site_of(request)
    state = badge_state(site.open_store(), name, site.now())
    text = badge(_label(name), state)
    etag = f'"{sha256(text.encode()).hexdigest()[:24]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if state is UNKNOWN:
        return Response(text, 404, headers, "image/svg+xml")
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(text, 200, headers, "image/svg+xml")


def _label(name: str) -> str:
    short = name if len(name) <= NAME_CHARS_MAX else f"{name[: NAME_CHARS_MAX - 1]}…"
    return "".join(c for c in short if c >= " " and c not in "\ufffe\uffff")


def _width(text: str) -> int:
    # In pixels, roughly; the SVG then stretches the text to this width.
    return round(sum(WIDE if east_asian_width(c) in "WF" else NARROW for c in text))


def routes() -> list[RawPathRoute]:
    """Return the Starlette route of the badge images."""
    return [RawPathRoute("/badge/{name:path}.svg", show, methods=["GET"])]
