"""The page /entries/NAME about one entry: its definition, its next and past runs, its changes."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct, json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beatd.catalog import Stored
from beatd.definition import json_plain_of
from beatd.edits.editing import is_declared, rows
from beatd.edits.unknown_entry import unknown, unreadable
from beatd.entry import PAYLOAD, Entry
from beatd.errors import ConfigError
from beatd.schedules import describe, zone
from beatd.schedules.duration import length_text
from beatd.schedules.typed_moment import typed_moment
from beatd.views.entry_rows import schedule_text
from beatd.views.next_runs import next_runs
from beatd.views.outcome_rows import running_since
from beatd.views.pause_text import pause_words
from beatd.views.request_progress import request_progress
from beatd.views.shown_outcomes import shown_outcomes
from beatd.views.step_rows import step_rows
from beatd.web.kept import kept_of
from beatd.web.pages.addresses import Place, entry_path
from beatd.web.pages.changes import change_line
from beatd.web.pages.entry_state import entry_state, newest_run
from beatd.web.pages.lateness_chart import lateness_chart
from beatd.web.pages.owner_words import owner_words
from beatd.web.pages.rendering import live_page, moments_of, page_text, site_of
from beatd.web.pages.run_history import RunSearch, find_runs
from beatd.web.pages.run_strip import run_strip
from beatd.web.raw_path_route import RawPathRoute
from beatd.web.templates import page
from beatd.web.visitor import needs
from beatd.why.answer import Answer
from beatd.why.chain import why
from beatd.why.facts import facts_of

NEXT_SHOWN = 10
STRIP = 60
CHANGES_SHOWN = 5
KINDS = {"well": "ok", "on its way": "run", "wrong": "bad"}  # of a badge
#: Causes that somebody wanted: nothing is wrong.
WANTED: Mapping[str, str] = {
    "paused": "pause", "disabled": "off", "not started": "off", "ended": "off", "max runs": "off"
}  # fmt: skip


class NextRun(Struct, frozen=True):
    """A future run of an entry; `note` mentions a clock change between it and the run before."""

    moment: datetime
    local: str
    note: str


class Field(Struct, frozen=True):
    """A field of an entry's definition as text; `is_code` is True if the text is JSON."""

    key: str
    text: str
    is_code: bool


def coming_runs(entry: Entry, now: datetime) -> tuple[list[NextRun], bool]:
    """Return the next runs of an entry's schedule, and True if there are no more after them."""
    home = zone(entry.tz)
    moments, is_all = next_runs(entry, now, NEXT_SHOWN)
    found: list[NextRun] = []
    offset = now.astimezone(home).utcoffset()
    for moment in moments:
        local = moment.astimezone(home)
        note, offset_now = "", local.utcoffset()
        if offset is not None and offset_now is not None and offset_now != offset:
            length = length_text(abs((offset_now - offset).total_seconds()))
            way = "forward" if offset_now > offset else "back"
            note = f"the clock goes {way} by {length} before it"
        offset = offset_now
        found.append(NextRun(moment, f"{local:%a %Y-%m-%d %H:%M:%S %Z}", note))
    return found, is_all


def fields_of_entry(entry: Entry) -> Iterator[Field]:
    """Yield the fields of an entry's definition that are not at their default, with their YAML
    names."""
    schedule = entry.schedule.plain()
    for key, value in json_plain_of(entry).items():
        if key in schedule or key in ("task", "tz", "description"):
            continue
        is_text = isinstance(value, str) and key not in PAYLOAD
        text = value if is_text else json.format(json.encode(value), indent=0).decode()
        yield Field(key, text, not is_text)


@needs("viewer")
def show(request: Request) -> Response:
    """Return the page of an entry.

    If the entry is removed, unreadable or unknown, return status 404 with what is known of it.
    """
    site, name = site_of(request), request.path_params["name"]
    store, shown = site.open_store(), moments_of(request)
    place = Place.of(request)
    history = find_runs(store, RunSearch(entry=name), place.here, shown)
    changed = store.changes.changes(name, CHANGES_SHOWN + 1)
    row = rows(store.catalog, (name,)).get(name)
    if row is None:
        return _missing(request, name, bool(history.lines or changed))
    entry = row.entry
    records = store.history.newest_records([name], STRIP).get(name, ())
    known = store.outcomes.outcomes([one.task_id for one in records if one.task_id])
    outcome = shown_outcomes(store, [row], shown.now).get(name)
    at, refusal = _moment(request, entry.tz, shown.now)
    key = ("why", name, row.revision, at, newest_run(records))
    answer = kept_of(request).get(key, lambda: _why(request, row, at, shown.now))
    coming, is_all = coming_runs(entry, shown.now)
    return live_page(
        request,
        "entry.html",
        shown,
        row=row,
        entry=entry,
        path_of_entry=entry_path(name),
        state=entry_state(row, outcome, newest_run(records), shown.now),
        steps=step_rows(entry),
        words=describe(entry.schedule, entry.tz),
        schedule=schedule_text(entry.schedule.plain()),
        fields=list(fields_of_entry(entry)),
        is_declared=is_declared(entry),
        owner=owner_words(entry, changed),
        pause=pause_words(row, site.timezone),
        outcome=outcome,
        running=running_since(row, outcome, shown.now),
        requests=request_progress(store, row),
        coming=coming,
        is_all=is_all,
        strip=run_strip(records, known, shown, STRIP),
        chart=lateness_chart(records, shown),
        answer=answer,
        answer_kind=WANTED.get(answer.cause, KINDS[answer.tone]),
        at=request.query_params.get("at", ""),
        refusal=refusal,
        history=history,
        pages=place.pages(entry_path(name), {}, history.rest),
        changes=[change_line(one) for one in changed[:CHANGES_SHOWN]],
        more_changes=len(changed) > CHANGES_SHOWN,
        requested=request.query_params.get("requested", ""),
        backfilled=request.query_params.get("backfilled", ""),
        called_off=request.query_params.get("called_off", ""),
        saved=request.query_params.get("saved", ""),
    )


def _why(request: Request, row: Stored, at: datetime | None, now: datetime) -> Answer:
    store = site_of(request).open_store()
    facts = facts_of(
        store,
        row.entry.name,
        now=now,
        at=at,
        tz=site_of(request).timezone,
        refusal="",
        problems=(),
        queue_of=lambda row: site_of(request).queue_of(row.entry),
    )
    return why(facts)


def _moment(request: Request, of_entry: str, now: datetime) -> tuple[datetime | None, str]:
    text = request.query_params.get("at", "").strip()
    if not text:
        return None, ""
    try:
        tz = site_of(request).timezone
        return typed_moment(text, tz, now, coming=False, also=(of_entry,)), ""
    except ConfigError as error:
        return None, str(error)


def _missing(request: Request, name: str, is_known: bool) -> Response:
    catalog = site_of(request).open_store().catalog
    if is_known:
        is_unreadable = bool(unreadable(catalog, [name]))
        return page(request, "entry_missing.html", 404, name=name, is_unreadable=is_unreadable)
    raise HTTPException(404, page_text(unknown(catalog, name)))


def routes() -> list[Route]:
    """Return the Starlette route of the page of an entry.

    It must come after all longer paths below /entries, because a name may contain slashes.
    """
    return [RawPathRoute("/entries/{name:path}", show, methods=["GET"])]
