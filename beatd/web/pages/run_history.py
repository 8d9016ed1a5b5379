"""The page /history, which lists the runs of all entries, with filters."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beatd.errors import ConfigError
from beatd.history import Record
from beatd.outcome import Delivery, OutcomeState
from beatd.overlap import reason_text
from beatd.requested_run import requested_json, requested_run, requested_text
from beatd.run import ORIGIN_WORDS, Origin, State
from beatd.run_outcome import run_outcome, times_received
from beatd.store import Roles
from beatd.views.record_rows import origin_text
from beatd.views.time_text import read_moment
from beatd.web.pages.addresses import Place
from beatd.web.pages.moments import Moments
from beatd.web.pages.rendering import live_page, moments_of, site_of
from beatd.web.pages.run_strip import Look, run_word
from beatd.web.visitor import needs

PATH = "/history"
PAGE = 50
RECORDS_PER_READ = 500  # at most; the first reads are smaller
READS_MAX = 8
STATES: tuple[State, ...] = get_args(State)
OUTCOMES: tuple[OutcomeState, ...] = get_args(OutcomeState)
ORIGINS: tuple[Origin, ...] = get_args(Origin)


class RunLine(Struct, frozen=True):
    """A line in the list of past runs, with the outcome of the run.

    `requested` is who requested it by hand, and with which arguments, or "".
    """

    record: Record
    newest: Delivery | None
    word: str
    look: Look
    detail: str
    times: int
    requested: str = ""

    @property
    def origin(self) -> str:
        """Why the run was sent, in words; "" if it was planned and skipped."""
        return origin_text(self.record)


class RunSearch(Struct, frozen=True):
    """The conditions of a search for past runs; a condition that is None is not applied."""

    entry: str | None = None
    state: State | None = None
    outcome: OutcomeState | None = None
    origin: Origin | None = None
    since: datetime | None = None

    @property
    def filters(self) -> bool:
        """True if the search has a condition for which each record must be read and compared."""
        return bool(self.state or self.outcome or self.origin or self.since)

    def may_accept(self, record: Record) -> bool:
        """Return False if a record of a run cannot match, so that its outcome need not be read."""
        return (
            (self.state is None or record.state == self.state)
            and (self.origin is None or record.origin == self.origin)
            and (self.since is None or (record.until or record.planned) >= self.since)
            and (self.outcome is None or bool(record.task_id))
        )

    def accepts(self, ended: Delivery | None) -> bool:
        """Return True if the outcome of a run matches; None means that no worker reported it."""
        return self.outcome is None or (ended is not None and ended.state == self.outcome)


class FoundRuns(Struct, frozen=True):
    """One page of past runs; `rest` is where the next page begins, or "" after the last one.

    `read` is the number of records that were read, and `back_to` the planned time of the last one.
    """

    lines: Sequence[RunLine]
    rest: str
    read: int
    back_to: datetime | None


def find_runs(store: Roles, search: RunSearch, place: str, shown: Moments) -> FoundRuns:
    """Return one page of past runs that match a search, newest first; it begins at `place`.

    The search stops when the page is full, or after READS_MAX reads of the store.
    """
    lines: list[RunLine] = []
    read, back_to = 0, None
    size = min(PAGE, RECORDS_PER_READ)
    for _ in range(READS_MAX if search.filters else 1):
        page = store.history.history_page(search.entry, size, place)
        lines += _lines_in(store, search, page.records, shown)
        read, place = read + len(page.records), page.rest
        if page.records:
            back_to = page.records[-1].planned
        if _all_before(page.records, search.since):
            place = ""
        if not place or len(lines) >= PAGE:
            break
        size = min(4 * size, RECORDS_PER_READ)
    return FoundRuns(lines, place, read, back_to)


def _lines_in(
    store: Roles, search: RunSearch, records: Sequence[Record], shown: Moments
) -> list[RunLine]:
    matching = [one for one in records if search.may_accept(one)]
    ids = [one.task_id for one in matching if one.task_id]
    known = store.outcomes.outcomes(ids) if ids else {}
    lines = []
    for record in matching:
        deliveries = known.get(record.task_id, ()) if record.task_id else ()
        ended = run_outcome(deliveries)
        if search.accepts(ended):
            word, look = run_word(record, ended)
            detail = reason_text(record.reason, shown.text) or (ended.error if ended else "")
            requested = requested_json(requested_run(store.catalog.marks, record))
            by = requested_text(requested.get("requested"))
            times = times_received(deliveries)
            lines.append(RunLine(record, ended, word, look, detail, times, by))
    return lines


def _all_before(records: Sequence[Record], since: datetime | None) -> bool:
    # No run is published early, so every later page is older than `since`, too.
    if since is None or not records:
        return False
    published = records[-1].published
    return published is not None and published < since


@needs("viewer")
def show(request: Request) -> Response:
    """Return the page /history, with the past runs that match the filters in the URL."""
    site = site_of(request)
    store, shown = site.open_store(), moments_of(request)
    fields: dict[str, str] = {
        key: request.query_params.get(key, "").strip()
        for key in ("entry", "state", "outcome", "origin", "since")
    }
    refusal = ""
    try:
        search = _search_of(fields, site.timezone, shown.now)
    except ConfigError as error:
        refusal, search = str(error), _search_of({**fields, "since": ""}, site.timezone, shown.now)
    place = Place.of(request)
    found = find_runs(store, search, place.here, shown)
    return live_page(
        request,
        "history.html",
        shown,
        found=found,
        pages=place.pages(PATH, fields, found.rest),
        fields=fields,
        filters=search.filters,
        is_filtered=any(fields.values()),
        refusal=refusal,
        states=STATES,
        outcomes=OUTCOMES,
        origins=ORIGINS,
        origin_words=ORIGIN_WORDS,
    )


def _search_of(fields: Mapping[str, str], tz: str, now: datetime) -> RunSearch:
    def chosen(known: Sequence[Any], key: str) -> Any:
        return next((one for one in known if one == fields[key]), None)

    return RunSearch(
        fields["entry"] or None,
        chosen(STATES, "state"),
        chosen(OUTCOMES, "outcome"),
        chosen(ORIGINS, "origin"),
        read_moment("since", fields["since"], tz, now) if fields["since"] else None,
    )


def routes() -> list[Route]:
    """Return the Starlette route of the page /history."""
    return [Route(PATH, show, methods=["GET"])]
