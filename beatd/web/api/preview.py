"""The API operation that checks an entry without saving it, and shows when it would run."""

from typing import Annotated, Any

from msgspec import Meta, Struct, field
from starlette.responses import Response

from beatd.definition import check
from beatd.errors import ConfigError, Problem
from beatd.schedules import describe, parse_moment
from beatd.views.next_runs import next_runs, run_json
from beatd.web.api.call import Call
from beatd.web.api.entries_write import SOURCE
from beatd.web.api.entry_answer import json_answer
from beatd.web.api.entry_facts import RUNS
from beatd.web.api.operation import Operation, Result, body_read_by
from beatd.web.api.refusal import mistakes, wrong_values
from beatd.web.api.schemas import FLAG, TEXT_OR_NULL, array, named, record

RUNS_MAX = 100
Count = Annotated[int, Meta(ge=1, le=RUNS_MAX, description="How many runs.")]
Name = Annotated[str, Meta(description="The entry's name, which H and spread depend on.")]
After = Annotated[str, Meta(max_length=64, description="Runs after this moment, instead of now.")]


class PreviewBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON body of a request to check an entry; it has the same keys as an entry in YAML."""

    entry: dict[str, Any]
    name: Name = "preview"
    n: Count = RUNS
    after: After | None = field(name="from", default=None)


def preview(call: Call) -> Response:
    """Check an entry without saving it, and return its mistakes or its next runs.

    A valid entry also gets a description of its schedule in words.
    """
    body: PreviewBody = call.body
    checked = check(body.name, body.entry, timezone=call.site.timezone, source=SOURCE)
    problems = [one.under("entry") for one in checked.problems if not one.warning]
    warnings = [one.under("entry") for one in checked.problems if one.warning]
    content: dict[str, Any] = {"valid": checked.entry is not None, "words": None, "tz": None}
    runs: list[dict[str, str]] = []
    if checked.entry is not None:
        entry = checked.entry
        try:
            after = call.now if body.after is None else parse_moment(body.after, entry.tz)
        except ConfigError as error:
            raise wrong_values([Problem(str(error), ("from",))]) from None
        moments, _ = next_runs(entry, after, body.n)
        runs = [run_json(moment, entry.tz) for moment in moments]
        content |= {"words": describe(entry.schedule, entry.tz), "tz": entry.tz}
        if not runs:
            warnings.append(Problem("never runs: all of its moments are past", ("entry",)))
    content |= {"next": runs, "problems": mistakes(problems), "warnings": mistakes(warnings)}
    return json_answer(content)


_PREVIEW = record(
    {
        "valid": FLAG,
        "words": TEXT_OR_NULL,
        "tz": TEXT_OR_NULL,
        "next": array(named("Run")),
        "problems": array(named("Mistake")),
        "warnings": array(named("Mistake")),
    }
)

OPERATIONS = (
    Operation(
        method="POST",
        path="preview",
        role="editor",
        summary="Check an entry that is not saved, and show when it would run.",
        handler=preview,
        body=body_read_by(PreviewBody),
        results={200: Result("The schedule in words, the next runs, all problems.", _PREVIEW)},
    ),
)
