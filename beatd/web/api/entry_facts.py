"""The API operations that return an entry's next runs, and explain why a run did or did not
happen."""

from collections.abc import Sequence
from datetime import datetime

from starlette.responses import Response

from beatd.edits.editing import row_of
from beatd.errors import ConfigError
from beatd.presence import refusal_of
from beatd.schedules import parse_moment
from beatd.schedules.typed_moment import typed_moment
from beatd.views.next_runs import next_runs, run_json
from beatd.web.api.call import Call
from beatd.web.api.entry_answer import json_answer
from beatd.web.api.operation import Operation, Parameter, Result
from beatd.web.api.refusal import wrong_parameter
from beatd.web.api.schemas import MOMENT, MOMENT_OR_NULL, TEXT, array, named, page_of
from beatd.web.api.schemas import record as object_with
from beatd.why.answer_json import why_json
from beatd.why.chain import why
from beatd.why.facts import facts_of

RUNS_MAX = 1_000
RUNS = 10


def next_of_entry(call: Call) -> Response:
    """Return the times of the next runs of an entry as JSON."""
    entry = row_of(call.store.catalog, call.name).entry
    after = moment_in(call, "from", entry.tz) or call.now
    runs, _ = next_runs(entry, after, call.values.get("n", RUNS))
    return json_answer({"items": [run_json(moment, entry.tz) for moment in runs], "next": None})


def why_of_entry(call: Call) -> Response:
    """Return an explanation why an entry ran, or did not run, at a given time."""
    tz, also = call.site.timezone, (row_of(call.store.catalog, call.name).entry.tz,)
    facts = facts_of(
        call.store,
        call.name,
        now=call.now,
        at=moment_in(call, "at", tz, newest=True, also=also),
        tz=tz,
        refusal=refusal_of(call.store.presences),
        problems=(),
        queue_of=lambda row: call.site.queue_of(row.entry),
    )
    return json_answer(why_json(call.name, why(facts)))


def moment_in(
    call: Call, name: str, tz: str, *, newest: bool = False, also: Sequence[str] = ()
) -> datetime | None:
    """Return the time in the query parameter `name`, or None if the parameter was not sent.

    A time without an offset is in the zone `tz`. If `newest`, a time of day is allowed, and is the
    newest such moment, as is the name of an offset of `tz` or of a zone of `also`. Raises Refusal
    if the text is no time.
    """
    if name not in call.values:
        return None
    try:
        text = call.values[name]
        if not newest:
            return parse_moment(text, tz)
        return typed_moment(text, tz, call.now, coming=False, also=also)
    except ConfigError as error:
        raise wrong_parameter(name, str(error)) from None


_ANSWER = object_with(
    {
        "entry": TEXT,
        "planned": MOMENT_OR_NULL,
        "cause": TEXT,
        "line": TEXT,
        "details": array(object_with({"what": TEXT, "text": TEXT})),
    }
)

OPERATIONS = (
    Operation(
        method="GET",
        path="entries/{name}/next",
        role="viewer",
        summary="The next runs of an entry's schedule, also of a paused one.",
        handler=next_of_entry,
        parameters=(
            Parameter(
                name="n",
                schema={"type": "integer", "minimum": 1, "maximum": RUNS_MAX, "default": RUNS},
                about="How many runs.",
            ),
            Parameter(name="from", schema=MOMENT, about="Runs after this moment, instead of now."),
        ),
        results={200: Result("The runs, with the local time and in UTC.", page_of(named("Run")))},
    ),
    Operation(
        method="GET",
        path="entries/{name}/why",
        role="viewer",
        summary="Why a moment of an entry ran or did not run.",
        handler=why_of_entry,
        parameters=(
            Parameter(
                name="at",
                schema=MOMENT,
                about="The planned moment, instead of the newest. 02:30 is the newest one. "
                "Without an offset it is in the zone of the configuration.",
            ),
        ),
        results={200: Result("The cause, and what led to it.", _ANSWER)},
    ),
)
