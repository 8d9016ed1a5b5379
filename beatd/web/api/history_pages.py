"""The API operations that return the history of runs, page by page."""

from collections.abc import Sequence
from typing import get_args

from starlette.responses import Response

from beatd.edits.editing import row_of
from beatd.history import Record
from beatd.requested_run import requested_run
from beatd.run import State
from beatd.views.record_rows import RecordFilter, record_json, with_deliveries, with_traced
from beatd.web.api.call import Call
from beatd.web.api.cursor import cursor_of, place_of
from beatd.web.api.entry_answer import json_answer
from beatd.web.api.entry_facts import moment_in
from beatd.web.api.operation import Operation, Parameter, Result
from beatd.web.api.schemas import AFTER, LIMIT, LIMIT_PARAMETER, MOMENT, named, page_of

PAGES_READ_MAX = 10  # for one answer, where a filter leaves out most records


def history_of_all(call: Call) -> Response:
    """Return one page of the history of all entries' runs as JSON, newest first."""
    return _page(call, None)


def history_of_entry(call: Call) -> Response:
    """Return one page of the history of an entry's runs as JSON; the entry may be removed."""
    return _page(call, call.name)


def _page(call: Call, name: str | None) -> Response:
    place = place_of(call.values["after"], str) if "after" in call.values else ""
    records, rest = _read(call, name, place)
    if name is not None and not records and not place:
        row_of(call.store.catalog, name)  # raises UnknownEntry if there is no such entry
    known = with_deliveries(records, call.store.outcomes)
    items = [
        record_json(record, deliveries, is_traced, requested_run(call.store.catalog.marks, record))
        for (record, deliveries), is_traced in with_traced(known, call.store.catalog)
    ]
    return json_answer({"items": items, "next": cursor_of(rest) if rest else None})


def _read(call: Call, name: str | None, place: str) -> tuple[Sequence[Record], str]:
    tz, limit = call.site.timezone, call.values.get("limit", LIMIT)
    since, until = moment_in(call, "since", tz), moment_in(call, "until", tz)
    wanted = RecordFilter(call.values.get("state"), since, until)
    found: list[Record] = []
    for _ in range(PAGES_READ_MAX):
        page = call.store.history.history_page(name, limit - len(found), place)
        found += wanted.matching(page.records)
        place = page.rest
        is_past = any(since and one.published and one.published < since for one in page.records)
        if is_past:
            return found, ""
        if not place or len(found) >= limit:
            break
    return found, place


_PARAMETERS = (
    Parameter(
        name="state",
        schema={"type": "string", "enum": list(get_args(State))},
        about="Only records in this state.",
    ),
    Parameter(name="since", schema=MOMENT, about="Only moments from this one on."),
    Parameter(name="until", schema=MOMENT, about="Only moments up to this one."),
    LIMIT_PARAMETER,
    AFTER,
)
_RESULTS = {200: Result("A page of records, the last written first.", page_of(named("Record")))}

OPERATIONS = (
    Operation(
        method="GET",
        path="entries/{name}/history",
        role="viewer",
        summary="What ran of an entry, and what did not and why.",
        handler=history_of_entry,
        parameters=_PARAMETERS,
        results=_RESULTS,
    ),
    Operation(
        method="GET",
        path="history",
        role="viewer",
        summary="What ran, and what did not and why.",
        handler=history_of_all,
        parameters=_PARAMETERS,
        results=_RESULTS,
    ),
)
