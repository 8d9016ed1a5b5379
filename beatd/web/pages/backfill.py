"""The form /entries/NAME/backfill, with a preview, that runs an entry for past times."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from secrets import token_hex

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from beatd.catalog import Stored
from beatd.edits.keyed_request import keyed_backfill
from beatd.edits.run_requests import backfill, cancel_backfills
from beatd.entry import Entry
from beatd.errors import BeatError, ConfigError, Conflict, StoreError
from beatd.planning import next_moment
from beatd.run import Skip
from beatd.schedules import zone
from beatd.schedules.moment import format_moment, in_zone
from beatd.views.request_progress import request_progress
from beatd.views.time_text import moment_text, read_moment
from beatd.web.answers import see_other
from beatd.web.kept import kept_of
from beatd.web.pages.addresses import address, entry_path
from beatd.web.pages.bulk import one_of
from beatd.web.pages.rendering import moments_of, page_text, site_of
from beatd.web.pages.run_now import row_of_path
from beatd.web.raw_path_route import RawPathRoute
from beatd.web.sign_in import form_of
from beatd.web.templates import page
from beatd.web.visitor import needs

MOMENTS_SHOWN = 20
MANY = 1_000  # runs; the form warns of more
CHANGED = "the entry was changed after this preview; look at the moments again"


class Span(Struct, frozen=True):
    """The first and the last time between which an entry is to run, as text and as datetimes."""

    texts: tuple[str, str]
    first: datetime
    last: datetime


class Preview(Struct, frozen=True):
    """The runs that a form to run an entry for past times will request after confirmation.

    `moments` are the first of their times in the page's time zone, `more` is the number of the
    others. `span` has the first and last time as text, which the form sends again.
    """

    found: Skip
    moments: list[str]
    more: int
    span: tuple[str, str]
    is_large: bool


@needs("operator")
def ask(request: Request) -> Response:
    """Return the form for past runs, with a preview if the URL has the first and last time."""
    row = row_of_path(request)
    texts = (
        request.query_params.get("from", "").strip(),
        request.query_params.get("to", "").strip(),
    )
    return _form(request, row, texts)


@needs("operator")
def confirm(request: Request) -> Response:
    """Request the runs for past times and redirect to the entry's page, or show the form's
    mistakes.

    A random number in the form identifies the request, so a form that is sent twice runs once.
    """
    row, form, site = row_of_path(request), form_of(request), site_of(request)
    texts = (one_of(form, "from"), one_of(form, "to"))
    if one_of(form, "seen") != str(row.revision):
        return _form(request, row, texts, CHANGED, 409)
    store, name, now = site.open_store(), row.entry.name, site.now()
    key = one_of(form, "number") or token_hex(16)
    try:
        span = _span(texts, row.entry, site.timezone, now)
        found = keyed_backfill(store.requests, store.history, name, span.first, span.last, now, key)
    except StoreError:
        raise
    except BeatError as error:
        return _form(
            request, row, texts, page_text(error), 409 if isinstance(error, Conflict) else 400
        )
    kept_of(request).clear()
    site.wake()
    count = f"{'more than ' if found.at_least else ''}{found.count:,}"
    return see_other(address(entry_path(name), backfilled=count))


@needs("operator")
def call_off(request: Request) -> Response:
    """Cancel the entry's requested past runs that are not sent yet, and redirect to its page."""
    site, name = site_of(request), row_of_path(request).entry.name
    try:
        left = cancel_backfills(site.open_store().requests, name)
    except (StoreError, Conflict):
        raise
    except BeatError:
        left = []  # all of it was published meanwhile
    kept_of(request).clear()
    site.wake()
    least = "more than " if any(one.at_least for one in left) else ""
    count = f"{least}{sum(one.count for one in left):,}"
    return see_other(address(entry_path(name), called_off=count))


def _span(texts: tuple[str, str], entry: Entry, tz: str, now: datetime) -> Span:
    for word, text in zip(("From", "To"), texts, strict=True):
        if not text:
            raise ConfigError(f"{word}: give a moment, like 2026-11-28T02:30")
    first = read_moment("From", texts[0], tz, now, also=(entry.tz,))
    last = read_moment("To", texts[1], tz, now, also=(entry.tz,))
    if last > now:
        raise ConfigError(f"To: {texts[1]} is in the future; a backfill ends in the past")
    if first > last:
        raise ConfigError(f"From: {texts[0]} is after {texts[1]}; exchange the two")
    return Span(texts, first, last)


def _preview(request: Request, entry: Entry, span: Span, now: datetime) -> Preview:
    site = site_of(request)
    requests, tz = site.open_store().requests, site.timezone
    found = backfill(requests, entry.name, span.first, span.last, now, only_count=True)
    home = zone(tz)
    moments = [
        f"{in_zone(moment, home):%a} {moment_text(moment, tz)}"
        for moment in islice(_moments(entry, found), MOMENTS_SHOWN)
    ]
    return Preview(
        found,
        moments,
        found.count - len(moments),
        (format_moment(span.first), format_moment(span.last)),
        found.at_least or found.count > MANY,
    )


def _moments(entry: Entry, found: Skip) -> Iterator[datetime]:
    moment: datetime | None = found.planned
    while moment is not None and moment <= found.until:
        yield moment
        moment = next_moment(entry, moment)


def _form(
    request: Request, row: Stored, texts: tuple[str, str], refusal: str = "", status: int = 200
) -> Response:
    shown, preview = moments_of(request), None
    if any(texts):
        try:
            span = _span(texts, row.entry, site_of(request).timezone, shown.now)
            preview = _preview(request, row.entry, span, shown.now)
        except StoreError:
            raise
        except BeatError as error:
            refusal, status = refusal or page_text(error), max(status, 400)
    return page(
        request,
        "backfill.html",
        status,
        when=shown,
        row=row,
        entry=row.entry,
        path_of_entry=entry_path(row.entry.name),
        texts=texts,
        preview=preview,
        pending=request_progress(site_of(request).open_store(), row),
        number=token_hex(16),
        refusal=refusal,
    )


def routes() -> list[RawPathRoute]:
    """Return the Starlette routes of the form that runs an entry for past times."""
    return [
        RawPathRoute("/entries/{name:path}/backfill", ask, methods=["GET"]),
        RawPathRoute("/entries/{name:path}/backfill", confirm, methods=["POST"]),
        RawPathRoute("/entries/{name:path}/backfill/call-off", call_off, methods=["POST"]),
    ]
