"""The API operations that list who changed which entry, and that undo one change."""

from starlette.responses import Response

from beatd.definition import codec
from beatd.edits.undo import undo
from beatd.views.change_rows import change_json
from beatd.web.api.call import Call
from beatd.web.api.cursor import cursor_of, place_of
from beatd.web.api.entry_answer import entry_or_none, json_answer
from beatd.web.api.operation import NoBody, Operation, Parameter, Result, body_read_by
from beatd.web.api.refusal import Refusal
from beatd.web.api.schemas import (
    AFTER,
    ENTRY_OR_NULL,
    FLAG,
    FORCE,
    LIMIT,
    LIMIT_PARAMETER,
    NOTE,
    TEXT,
    named,
    page_of,
)
from beatd.web.api.schemas import record as object_with


def list_changes(call: Call) -> Response:
    """Return one page of the recorded changes of entries, newest first, as JSON."""
    limit = call.values.get("limit", LIMIT)
    before = place_of(call.values["after"], str) if "after" in call.values else ""
    found = call.store.changes.changes(call.values.get("entry"), limit + 1, before)
    items = [change_json(one) for one in found[:limit]]
    rest = cursor_of(found[limit - 1].id) if len(found) > limit else None
    return json_answer({"items": items, "next": rest})


def undo_change(call: Call) -> Response:
    """Restore an entry to its state before the change whose id is in the path."""
    id: str = call.request.path_params["id"]
    if "\x00" in id or call.store.changes.change(id) is None:
        raise Refusal(404, f"no change {id[:100]!r}")
    done = undo(
        call.store.catalog,
        call.store.changes,
        id,
        call.site.now,
        call.author(call.note),
        codec,
        force=call.values.get("force", False),
    )
    call.site.wake()
    return json_answer(
        {
            "undone": change_json(done.record),
            "removed": done.after is None,
            "before": entry_or_none(call, done.before),
            "after": entry_or_none(call, done.after),
        }
    )


OPERATIONS = (
    Operation(
        method="GET",
        path="changes",
        role="viewer",
        summary="Who changed what, newest first.",
        handler=list_changes,
        parameters=(
            Parameter(name="entry", schema=TEXT, about="Only changes of this entry."),
            LIMIT_PARAMETER,
            AFTER,
        ),
        results={200: Result("A page of changes.", page_of(named("Change")))},
    ),
    Operation(
        method="POST",
        path="changes/{id}/undo",
        role="editor",
        summary="Restore an entry as it was before a change.",
        handler=undo_change,
        parameters=(FORCE, NOTE),
        body=body_read_by(NoBody, optional=True),
        results={
            200: Result(
                "The change that was undone; `removed` is true if the entry is gone now.",
                object_with(
                    {
                        "undone": named("Change"),
                        "removed": FLAG,
                        "before": ENTRY_OR_NULL,
                        "after": ENTRY_OR_NULL,
                    }
                ),
            ),
            409: Result("The entry has changed since, or a file declares it.", named("Problem")),
            412: Result("The entry changed during the undo.", named("Problem")),
        },
    ),
)
