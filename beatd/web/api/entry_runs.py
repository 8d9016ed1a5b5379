"""The API operations that request extra runs of one entry, besides those of its schedule."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct, field
from starlette.responses import Response

from beatd.definition.check import read_fields
from beatd.edits.keyed_request import keyed_backfill, keyed_trigger
from beatd.edits.request_arguments import RequestArguments
from beatd.edits.run_requests import backfill, cancel_backfills, trigger
from beatd.errors import ConfigError, Problem
from beatd.schedules import parse_moment
from beatd.schedules.moment import format_moment
from beatd.web.api.call import Call
from beatd.web.api.entry_answer import json_answer
from beatd.web.api.operation import Operation, Result, body_read_by
from beatd.web.api.refusal import wrong_parameter, wrong_values
from beatd.web.api.schemas import COUNT, FLAG, IDEMPOTENCY_KEY, MOMENT, TEXT, named, record

KEY_CHARS_MAX = 200
Moment = Annotated[
    str, Meta(max_length=64, description="ISO 8601; without an offset, in the entry's zone.")
]


class BackfillBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON body of a request to run an entry for past times: the first and last time,
    inclusive."""

    first: Moment = field(name="from")
    last: Moment = field(name="to")
    dry_run: bool = False


class TriggerBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON body of a request to run an entry now: task arguments that replace the entry's
    own."""

    args: list[Any] | None = None
    kwargs: dict[str, Any] | None = None


def trigger_entry(call: Call) -> Response:
    """Request one run of an entry now, and return the task id of this run as JSON."""
    key, requests, marks = _key(call), call.store.requests, call.store.catalog.marks
    given = _arguments(call)
    if key is None:
        id = trigger(
            requests, call.name, call.now, arguments=given, marks=marks, author=call.author()
        )
    else:
        history = call.store.history
        id = keyed_trigger(
            requests,
            history,
            call.name,
            call.now,
            key,
            arguments=given,
            marks=marks,
            author=call.author(),
        )
    call.site.wake()
    return json_answer({"entry": call.name, "task_id": id})


def _arguments(call: Call) -> RequestArguments:
    body: TriggerBody = call.body
    both = {"args": body.args, "kwargs": body.kwargs}
    values, problems = read_fields(both, call.site.timezone)
    if problems:
        raise wrong_values(problems)
    return RequestArguments(values.get("args"), values.get("kwargs"))


def backfill_entry(call: Call) -> Response:
    """Request a run of an entry for each time at which its schedule was due in a past period."""
    key, requests, body = _key(call), call.store.requests, call.body
    tz = call.site.timezone
    first, last = _moment("from", body.first, tz), _moment("to", body.last, tz)
    if last > call.now:
        raise wrong_values([Problem("is in the future; a backfill ends in the past", ("to",))])
    if first > last:
        raise wrong_values([Problem("is after `to`; exchange the two", ("from",))])
    if body.dry_run or key is None:
        found = backfill(requests, call.name, first, last, call.now, only_count=body.dry_run)
    else:
        history = call.store.history
        found = keyed_backfill(requests, history, call.name, first, last, call.now, key)
    call.site.wake()
    content = {
        "entry": call.name,
        "first": format_moment(found.planned),
        "last": format_moment(found.until),
        "count": found.count,
        **({"at_least": True} if found.at_least else {}),
        "asked": not body.dry_run,
    }
    return json_answer(content)


def cancel_backfills_of_entry(call: Call) -> Response:
    """Cancel the requested runs for past times that are not sent yet, and return their number."""
    left = cancel_backfills(call.store.requests, call.name)
    call.site.wake()
    at_least = any(one.at_least for one in left)
    return json_answer(
        {
            "entry": call.name,
            "called_off": sum(one.count for one in left),
            **({"at_least": True} if at_least else {}),
        }
    )


def _key(call: Call) -> str | None:
    key = call.header("idempotency-key")
    if key is not None and not 0 < len(key) <= KEY_CHARS_MAX:
        detail = f"has {len(key)} characters; a key has 1 to {KEY_CHARS_MAX}"
        raise wrong_parameter("Idempotency-Key", detail)
    return key


def _moment(member: str, text: str, tz: str) -> datetime:
    try:
        return parse_moment(text, tz)
    except ConfigError as error:
        raise wrong_values([Problem(str(error), (member,))]) from None


_BACKFILL = record(
    {
        "entry": TEXT,
        "first": MOMENT,
        "last": MOMENT,
        "count": COUNT,
        "at_least": {**FLAG, "description": "true: there are more than `count`."},
        "asked": {**FLAG, "description": "false after a dry run."},
    },
    "at_least",
)

OPERATIONS = (
    Operation(
        method="POST",
        path="entries/{name}/trigger",
        role="operator",
        summary="Run an entry once now, also a paused one. Its next run stays as it is.",
        handler=trigger_entry,
        parameters=(IDEMPOTENCY_KEY,),
        body=body_read_by(TriggerBody, optional=True),
        results={200: Result("The requested run.", record({"entry": TEXT, "task_id": TEXT}))},
    ),
    Operation(
        method="POST",
        path="entries/{name}/backfill",
        role="operator",
        summary="Run an entry for each moment of its schedule in a span of the past.",
        handler=backfill_entry,
        parameters=(IDEMPOTENCY_KEY,),
        body=body_read_by(BackfillBody),
        results={
            200: Result("The moments that were requested.", _BACKFILL),
            409: Result("A backfill that is pending overlaps this one.", named("Problem")),
        },
    ),
    Operation(
        method="DELETE",
        path="entries/{name}/backfill",
        role="operator",
        summary="Drop what is left of an entry's backfills.",
        handler=cancel_backfills_of_entry,
        results={
            200: Result(
                "The number of runs that are dropped.",
                record({"entry": TEXT, "called_off": COUNT, "at_least": FLAG}, "at_least"),
            )
        },
    ),
)
