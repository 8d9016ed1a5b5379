"""The API operations that pause and resume one entry."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response

from beatd.edits.editing import row_of
from beatd.edits.pausing import pause, resume
from beatd.errors import ConfigError, Problem
from beatd.views.pause_text import read_end
from beatd.web.api.call import Call
from beatd.web.api.entry_answer import entry_answer, overtaken, seen_revision
from beatd.web.api.operation import NoBody, Operation, Result, body_read_by
from beatd.web.api.refusal import wrong_values
from beatd.web.api.schemas import IF_MATCH, NOTE, STALE, named

NOTE_CHARS_MAX = 1_000
Until = Annotated[
    str, Meta(max_length=64, description="A moment in ISO 8601, or a length such as 2h.")
]
Note = Annotated[
    str,
    Meta(max_length=NOTE_CHARS_MAX, pattern=r"^[^\x00]*$", description="Why: a text for people."),
]


class PauseBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON body of a request that pauses an entry: when the pause ends, and a note."""

    until: Until | None = None
    note: Note = ""


def pause_entry(call: Call) -> Response:
    """Pause an entry. If it is paused already, its end and note are replaced."""
    seen = seen_revision(call, required=False)
    until = end_of(call, call.body.until, call.site.timezone)
    author = call.author(call.body.note)
    with overtaken(call):
        pause(call.store.catalog, [call.name], call.site.now, author, until=until, seen=seen)
    call.site.wake()
    return entry_answer(call, row_of(call.store.catalog, call.name))


def resume_entry(call: Call) -> Response:
    """Resume a paused entry. Runs that were due during the pause are skipped."""
    seen = seen_revision(call, required=False)
    with overtaken(call):
        resume(call.store.catalog, [call.name], call.site.now, call.author(call.note), seen=seen)
    call.site.wake()
    return entry_answer(call, row_of(call.store.catalog, call.name))


def end_of(call: Call, text: str | None, tz: str) -> datetime | None:
    """Convert the text of a pause's end to a time, or return None if `text` is None.

    A time without an offset is in the zone `tz`. Raises Refusal if the text is invalid or in the
    past.
    """
    if text is None:
        return None
    try:
        return read_end("until", text, call.now, tz)
    except ConfigError as error:
        detail = str(error).removeprefix("until: ")
        raise wrong_values([Problem(detail, ("until",))]) from None


OPERATIONS = (
    Operation(
        method="POST",
        path="entries/{name}/pause",
        role="operator",
        summary="Pause an entry, for good or until an end.",
        handler=pause_entry,
        parameters=(IF_MATCH,),
        body=body_read_by(PauseBody, optional=True),
        results={200: Result("The paused entry.", named("Entry")), 412: STALE},
    ),
    Operation(
        method="POST",
        path="entries/{name}/resume",
        role="operator",
        summary="Resume an entry. What it missed does not run.",
        handler=resume_entry,
        parameters=(IF_MATCH, NOTE),
        body=body_read_by(NoBody, optional=True),
        results={200: Result("The resumed entry.", named("Entry")), 412: STALE},
    ),
)
