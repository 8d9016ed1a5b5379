"""The API operations about the whole service: status, incidents, planned and requested runs."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from itertools import dropwhile, islice

from starlette.responses import Response

from beatd.alerts.message import incident_id
from beatd.edits.run_requests import REQUESTS_READ_MAX
from beatd.errors import StoreError
from beatd.incident import Incident
from beatd.schedules.moment import format_moment
from beatd.views.incident_json import incident_json
from beatd.views.planned_ahead import planned_ahead
from beatd.web.api.call import Call
from beatd.web.api.cursor import cursor_of, place_of
from beatd.web.api.entry_answer import json_answer
from beatd.web.api.operation import Operation, Parameter, Result
from beatd.web.api.schemas import (
    AFTER,
    ANY_OBJECT,
    COUNT,
    FLAG,
    LIMIT,
    LIMIT_PARAMETER,
    MOMENT,
    MOMENT_OR_NULL,
    TEXT,
    array,
    named,
    page_of,
    record,
)
from beatd.web.kept import kept_of

HOURS_MAX = 168
HOURS = 24


def status(call: Call) -> Response:
    """Return the state of the daemons, the store and the broker as JSON, like `beatd status
    --json`."""
    return json_answer(call.site.status())


def whoami(call: Call) -> Response:
    """Return the name and role of the client, and the time zone and time of this daemon, as
    JSON."""
    visitor = call.visitor
    you = {"name": visitor.name, "role": visitor.role, "token": visitor.by_token}
    now = None
    with suppress(StoreError):
        now = format_moment(call.now)
    return json_answer({**you, "timezone": call.site.timezone, "now": now})


def requests(call: Call) -> Response:
    """Return the runs that were requested by hand and are not sent yet, oldest first."""
    pending = call.store.requests.requests(REQUESTS_READ_MAX)
    items = [
        {
            "entry": one.name,
            "kind": one.kind,
            "from": format_moment(one.first),
            "to": format_moment(one.last),
        }
        for one, _ in pending
    ]
    return json_answer({"items": items, "next": None})


def ahead(call: Call) -> Response:
    """Return how many runs are planned for each of the next minutes or hours."""
    hours, store = call.values.get("hours", HOURS), call.store
    found = kept_of(call.request).get(
        ("API ahead", store.catalog.version(), hours),
        lambda: planned_ahead(store.plans, call.now, hours),
    )
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
    """Return the incidents, which are problems that last for a time, as JSON, newest first."""
    limit, name = call.values.get("limit", LIMIT), call.values.get("entry")
    found: Iterable[Incident]
    if call.values.get("state") == "open":
        some = [one for one in call.store.incidents.open_incidents() if one.closed is None]
        found = (one for one in reversed(some) if name in (None, one.name))
    else:
        found = call.store.incidents.incidents(name, None)
    if "after" in call.values:
        last = place_of(call.values["after"], str)
        found = islice(dropwhile(lambda one: incident_id(one) != last, found), 1, None)
    page = list(islice(found, limit + 1))
    rest = cursor_of(incident_id(page[limit - 1])) if len(page) > limit else None
    return json_answer({"items": [incident_json(one) for one in page[:limit]], "next": rest})


_REQUEST = record(
    {
        "entry": TEXT,
        "kind": {"enum": ["trigger", "backfill", "backlog"]},
        "from": MOMENT,
        "to": MOMENT,
    }
)
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
            AFTER,
        ),
        results={200: Result("A page of incidents.", page_of(named("Incident")))},
    ),
    Operation(
        method="GET",
        path="requests",
        role="viewer",
        summary="Runs that are requested, besides those of the schedules, and not yet published.",
        handler=requests,
        results={200: Result("The first 1,000 requests, oldest first.", page_of(_REQUEST))},
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
        summary="Your name and your role, and the zone and the time of this daemon.",
        handler=whoami,
        results={
            200: Result(
                "You.",
                record(
                    {
                        "name": TEXT,
                        "role": {"enum": ["viewer", "operator", "editor"]},
                        "token": FLAG,
                        "timezone": TEXT,
                        "now": {**MOMENT_OR_NULL, "description": "null: the store is away."},
                    }
                ),
            )
        },
    ),
)
