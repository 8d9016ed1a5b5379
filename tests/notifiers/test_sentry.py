"""Check-ins of Sentry Crons, as an endpoint of the published protocol receives them."""

from datetime import timedelta
from gzip import decompress
from typing import Any

import pytest
from msgspec import json
from msgspec.structs import replace

from beatd.definition.sentry_monitor import monitor_config, slug_of
from beatd.entry import Entry, Monitor
from beatd.monitors.check_in import CheckIn
from beatd.notifiers.sentry import SentryMonitor
from beatd.schedules import schedule_from
from tests.notifiers.receivers import Receiver, receiver
from tests.waiting import until

ID = "0b8f3c1e-9a51-5c7e-8d43-2f7f6a1b9c00"
KEY = "0123456789abcdef0123456789abcdef"
# sentry-sdk imports the installed eventlet, to see whether it has changed the threads.
pytestmark = pytest.mark.filterwarnings(r"ignore:\s*Eventlet is deprecated")
STATUSES = {"in_progress", "ok", "error"}


def entry(name: str = "nightly", **schedule: Any) -> Entry:
    return Entry(
        name=name,
        task="t",
        tz="Europe/Berlin",
        schedule=schedule_from(schedule or {"cron": "30 2 * * *"}, tz="Europe/Berlin"),
        monitor=Monitor(sentry=True),
    )


def check_ins(server: Receiver) -> list[dict[str, Any]]:
    """Read the envelopes that a server received, as the protocol says: a line of JSON for the
    envelope, then for each item a line with its header and its payload."""
    found = []
    for request in server.received:
        assert request.path.split("?")[0] == "/api/42/envelope/"
        assert f"sentry_key={KEY}" in request.headers["x-sentry-auth"]
        _, *items = decompress(request.body).split(b"\n")
        for header, payload in zip(items[::2], items[1::2], strict=False):
            if header and json.decode(header)["type"] == "check_in":
                found.append(json.decode(payload))
    return found


def valid(check_in: dict[str, Any]) -> None:
    """Assert what the published protocol demands of a check-in."""
    assert len(check_in["check_in_id"]) == 32 and bytes.fromhex(check_in["check_in_id"])
    assert check_in["status"] in STATUSES
    slug = check_in["monitor_slug"]
    assert 0 < len(slug) <= 50 and set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    schedule = check_in["monitor_config"]["schedule"]
    if schedule["type"] == "crontab":
        assert len(schedule["value"].split()) == 5
    else:
        assert schedule["type"] == "interval" and schedule["value"] >= 1
        assert schedule["unit"] in ("minute", "hour", "day", "week", "month", "year")


def sent(server: Receiver, *some: CheckIn) -> list[dict[str, Any]]:
    url = server.url.removesuffix("/hook").removeprefix("http://")
    monitor = SentryMonitor(f"http://{KEY}@{url}/42", environment="tests")
    for one in some:
        assert monitor.wants(one)
        monitor.send(one)
    until(lambda: len(check_ins(server)) == len(some), 20, "the check-ins arrive")
    monitor.close()
    return check_ins(server)


def test_a_run_is_one_check_in_from_its_publishing_to_its_end() -> None:
    one = replace(entry(), max_run=timedelta(hours=2), jitter=timedelta(minutes=3))
    with receiver() as server:
        first, second = sent(
            server,
            CheckIn(entry=one, task_id=ID, state="published"),
            CheckIn(entry=one, task_id=ID, state="success", runtime=12.5),
        )
    valid(first)
    valid(second)
    assert first["check_in_id"] == second["check_in_id"] == ID.replace("-", "")
    assert (first["status"], second["status"]) == ("in_progress", "ok")
    assert second["duration"] == 12.5 and second["environment"] == "tests"
    assert first["monitor_config"] == {
        "schedule": {"type": "crontab", "value": "30 2 * * *"},
        "timezone": "Europe/Berlin",
        "max_runtime": 120,
        "checkin_margin": 4,
    }


def test_a_failed_run_is_an_error() -> None:
    with receiver() as server:
        [found] = sent(server, CheckIn(entry=entry(), task_id=ID, state="fail", text="x"))
    assert found["status"] == "error"


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ({"every": "5m"}, {"type": "interval", "value": 5, "unit": "minute"}),
        ({"every": "2h"}, {"type": "interval", "value": 2, "unit": "hour"}),
        ({"every": "1d"}, {"type": "interval", "value": 1, "unit": "day"}),
        ({"crontab": {"minute": 0, "hour": "*/3"}}, {"type": "crontab", "value": "0 */3 * * *"}),
        ({"every": "30s"}, None),
        ({"cron": "*/5 * * * * *"}, None),
        ({"cron": "0 0 L * *"}, None),
        ({"crontab": {"day_of_month": 1, "day_of_week": 1}}, None),
        ({"rrule": "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17"}, None),
    ],
)
def test_sentry_gets_the_schedules_that_it_knows(schedule: dict[str, Any], said: Any) -> None:
    config = monitor_config(entry(**schedule))
    assert (config and config["schedule"]) == said


@pytest.mark.parametrize("name", ["nightly", "a" * 51, "Über Nacht", "a b", "a-b", "---", "x_1"])
def test_a_slug_is_one_that_sentry_takes_and_of_one_entry_only(name: str) -> None:
    slug = slug_of(name)
    assert 0 < len(slug) <= 50 and set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    assert (slug == name) == (name in ("nightly", "a-b", "x_1"))
    assert slug_of("a b") != slug_of("a-b")
