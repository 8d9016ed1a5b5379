"""The API operation that pauses, resumes, triggers or removes several entries in one request."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response

from beatd.definition.check import name_problem
from beatd.edits.bulk_edit import NAMES_MAX, BulkAction, edit_each, prospects
from beatd.edits.editing import rows
from beatd.errors import Problem
from beatd.views.entry_search import EntrySearch, SearchState, entries_page
from beatd.web.api.call import Call
from beatd.web.api.entry_answer import json_answer
from beatd.web.api.entry_pauses import Note, Until, end_of
from beatd.web.api.operation import Operation, Result, body_read_by
from beatd.web.api.refusal import Refusal, wrong_values
from beatd.web.api.request_values import TEXT_CHARS_MAX
from beatd.web.api.schemas import FLAG, array, named, record

Names = Annotated[
    list[str], Meta(max_length=NAMES_MAX, description="The entries; or give `query`.")
]
Revisions = Annotated[
    dict[str, int],
    Meta(description="The revisions that you read; an entry with another one is left alone."),
]


Text = Annotated[str, Meta(max_length=TEXT_CHARS_MAX, pattern=r"^[^\x00]*$")]


class BulkQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The search conditions that select the entries of a bulk request: text, owner and state."""

    q: Text | None = None
    source: Text | None = None
    state: SearchState | None = None


class BulkBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON body of POST /api/v1/bulk: an action, and the entries to which it applies."""

    action: BulkAction
    names: Names | None = None
    query: BulkQuery | None = None
    revisions: Revisions = {}
    until: Until | None = None
    note: Note = ""
    dry_run: bool = False


def edit_entries(call: Call) -> Response:
    """Apply the requested action to each selected entry, and return one result for each."""
    body: BulkBody = call.body
    if body.action == "remove" and not call.visitor.may("editor"):
        raise Refusal(403, "this needs the role editor")
    if (body.until is not None or body.note) and body.action != "pause":
        raise wrong_values(
            [Problem("goes with the action pause", ("until" if body.until else "note",))]
        )
    until = end_of(call, body.until, call.site.timezone)
    seen = _seen(call, body)
    if body.dry_run:
        found = prospects(rows(call.store.catalog, seen), list(seen), body.action)
        results = [
            {"name": one.name, "done": not one.refusal, "text": one.refusal or one.effect}
            for one in found
        ]
    else:
        done = edit_each(
            call.store.catalog,
            call.store.requests,
            seen,
            body.action,
            call.site.now,
            call.author(body.note),
            until=until,
        )
        results = [{"name": one.name, "done": one.done, "text": one.text} for one in done]
        call.site.wake()
    return json_answer({"results": results, "dry_run": body.dry_run})


def _seen(call: Call, body: BulkBody) -> Mapping[str, int | None]:
    # Maps each name to the revision that the caller read, or None. Raises Refusal if the body has
    # neither names nor a query, if it has both, or if more than NAMES_MAX entries match.
    if (body.names is None) == (body.query is None):
        raise wrong_values([Problem("give either names or query", ("names",))])
    if body.names is not None:
        wrong = [
            Problem(text, ("names", index))
            for index, name in enumerate(body.names)
            if (text := name_problem(name))
        ]
        if wrong:
            raise wrong_values(wrong)
        return {name: body.revisions.get(name) for name in body.names}
    assert body.query is not None, "one of both is given"
    search = EntrySearch(text=body.query.q, source=body.query.source, state=body.query.state)
    page = entries_page(call.store, search, call.now, NAMES_MAX)
    if page.rest is not None:
        raise wrong_values(
            [Problem(f"more than {NAMES_MAX} entries may match; narrow it", ("query",))]
        )
    return {row.entry.name: row.revision for row, _ in page.entries}


_BULK = record({"results": array(named("EditResult")), "dry_run": FLAG})

OPERATIONS = (
    Operation(
        method="POST",
        path="bulk",
        role="operator",
        summary="Pause, resume, trigger or remove up to 1,000 entries. Removing needs an editor.",
        handler=edit_entries,
        body=body_read_by(BulkBody),
        results={
            200: Result(
                "A result for each name. One that is refused does not stop the others.", _BULK
            )
        },
    ),
)
