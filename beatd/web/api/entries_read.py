"""The API operations that return a list of entries, or one entry."""

from typing import get_args

from starlette.responses import Response

from beatd.catalog import Position
from beatd.edits.editing import row_of
from beatd.views.entry_search import EntrySearch, Order, SearchState, entries_page
from beatd.web.api.call import Call
from beatd.web.api.cursor import cursor_of, place_of
from beatd.web.api.entry_answer import (
    entry_answer,
    entry_json,
    etag_of,
    json_answer,
    revisions_in,
)
from beatd.web.api.operation import Operation, Parameter, Result
from beatd.web.api.schemas import AFTER, IF_NONE_MATCH, LIMIT, LIMIT_PARAMETER, TEXT, named, page_of

STATES = list(get_args(SearchState))


def list_entries(call: Call) -> Response:
    """Return one page of the entries that match the query parameters, as JSON."""
    values = call.values
    search = EntrySearch(
        text=values.get("q"),
        source=values.get("source"),
        state=values.get("state"),
        order=values.get("order", "name"),
    )
    after = place_of(values["after"], Position) if "after" in values else None
    page = entries_page(call.store, search, call.now, values.get("limit", LIMIT), after)
    items = [entry_json(call, row, outcome) for row, outcome in page.entries]
    rest = None if page.rest is None else cursor_of(page.rest)
    return json_answer({"items": items, "next": rest})


def get_entry(call: Call) -> Response:
    """Return one entry as JSON, or status 304 if the client already has its newest revision."""
    row = row_of(call.store.catalog, call.name)
    header = call.header("if-none-match")
    if header is not None:
        known = revisions_in(header.replace("W/", ""))  # a weak comparison: RFC 9110, 13.1.2
        if known is None or row.revision in known:
            return Response(status_code=304, headers={"ETag": etag_of(row)})
    return entry_answer(call, row)


OPERATIONS = (
    Operation(
        method="GET",
        path="entries",
        role="viewer",
        summary="List entries.",
        handler=list_entries,
        parameters=(
            Parameter(name="q", schema=TEXT, about="A text in the name or in the task."),
            Parameter(name="source", schema=TEXT, about="The owner: cli, api, yaml:config…"),
            Parameter(
                name="state",
                schema={"type": "string", "enum": STATES},
                about="Only entries in this state.",
            ),
            Parameter(
                name="order",
                schema={"type": "string", "enum": list(get_args(Order)), "default": "name"},
                about="By name, or the next to run first.",
            ),
            LIMIT_PARAMETER,
            AFTER,
        ),
        results={200: Result("A page of entries.", page_of(named("Entry")))},
    ),
    Operation(
        method="GET",
        path="entries/{name}",
        role="viewer",
        summary="Read an entry.",
        handler=get_entry,
        parameters=(IF_NONE_MATCH,),
        results={
            200: Result("The entry; its ETag is its revision.", named("Entry")),
            304: Result("You have this revision. The next and the last run may have changed."),
        },
    ),
)
