"""Read the state of the whole installation: status, incidents, the runs ahead, the visitor."""

from datetime import timedelta

from starlette.responses import Response

from beatd.schedules.moment import format_moment
from beatd.views.incident_json import incident_json
from beatd.views.planned_ahead import planned_ahead
from beatd.web.api.call import Call
from beatd.web.api.entry_answer import json_answer
from beatd.web.api.operation import Operation, Parameter, Result
from beatd.web.api.schemas import (
    ANY_OBJECT,
    COUNT,
    FLAG,
    LIMIT,
    LIMIT_PARAMETER,
    MOMENT,
    TEXT,
    array,
    named,
    page_of,
    record,
)

HOURS_MAX = 168
HOURS = 24


def status(call: Call) -> Response:
    """Answer the same as `beatd status --json`, as this daemon knows it."""
    return json_answer(call.site.status())


def whoami(call: Call) -> Response:
    """Answer the name and the role of the visitor."""
    visitor = call.visitor
    return json_answer({"name": visitor.name, "role": visitor.role, "token": visitor.by_token})


def ahead(call: Call) -> Response:
    """Answer how many runs are planned in each of the next minutes or hours."""
    found = planned_ahead(call.store.catalog, call.now, call.values.get("hours", HOURS))
    size = timedelta(seconds=found.bucket_s)
    buckets = [
        {"from": format_moment(found.start + index * size), "runs": runs}
        for index, runs in enumerate(found.counts)
        if runs
    ]
    return json_answer(
        {
            "from": format_moment(found.start),
            "seconds": found.bucket_s,
            "buckets": buckets,
            "complete": found.complete,
        }
    )


def incidents(call: Call) -> Response:
    """Answer the incidents, the last opened first."""
    limit, name = call.values.get("limit", LIMIT), call.values.get("entry")
    if call.values.get("state") == "open":
        some = [one for one in call.store.incidents.open_incidents() if one.closed is None]
        found = [one for one in reversed(some) if name in (None, one.name)][:limit]
    else:
        found = list(call.store.incidents.incidents(name, limit))
    return json_answer({"items": [incident_json(one) for one in found], "next": None})


_AHEAD = record(
    {
        "from": MOMENT,
        "seconds": {**COUNT, "description": "The length of a bucket."},
        "buckets": array(record({"from": MOMENT, "runs": COUNT})),
        "complete": {**FLAG, "description": "false: there were too many runs to count them all."},
    }
)

OPERATIONS = (
    Operation(
        method="GET",
        path="ahead",
        role="viewer",
        summary="How many runs are planned in the hours ahead.",
        handler=ahead,
        parameters=(
            Parameter(
                name="hours",
                schema={"type": "integer", "minimum": 1, "maximum": HOURS_MAX, "default": HOURS},
                about="How far ahead.",
            ),
        ),
        results={200: Result("The number of runs in each bucket that has any.", _AHEAD)},
    ),
    Operation(
        method="GET",
        path="incidents",
        role="viewer",
        summary="Incidents, the last opened first.",
        handler=incidents,
        parameters=(
            Parameter(name="entry", schema=TEXT, about="Only incidents of this entry."),
            Parameter(
                name="state",
                schema={"type": "string", "enum": ["open", "all"], "default": "all"},
                about="Only those that are open, or all.",
            ),
            LIMIT_PARAMETER,
        ),
        results={200: Result("The incidents.", page_of(named("Incident")))},
    ),
    Operation(
        method="GET",
        path="status",
        role="viewer",
        summary="The same as `beatd status --json`, as this daemon knows it.",
        handler=status,
        results={200: Result("The status.", ANY_OBJECT)},
    ),
    Operation(
        method="GET",
        path="whoami",
        role="viewer",
        summary="Your name and your role.",
        handler=whoami,
        results={
            200: Result(
                "You.",
                record(
                    {
                        "name": TEXT,
                        "role": {"enum": ["viewer", "operator", "editor"]},
                        "token": FLAG,
                    }
                ),
            )
        },
    ),
)
