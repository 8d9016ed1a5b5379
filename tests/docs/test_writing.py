"""docs/writing.md is true: its schedule, its publisher and its store work."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from beatd.entry import Schedule
from beatd.publisher import Outcome
from beatd.publishers import celery
from beatd.publishers.celery_app import app_for
from beatd.store import Store
from tests.docs.blocks import blocks_of, page
from tests.publishers.runs import always, entry, run
from tests.stores.making import lead, put, row

PROGRAMS = [block.text for block in blocks_of(page("writing.md")) if block.language == "python"]


def names_of(number: int) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "writing"}
    exec(PROGRAMS[number], names)
    return names


def test_the_schedule_keeps_the_promise_of_all_schedules() -> None:
    first, second = (datetime(2027, 1, day, tzinfo=UTC) for day in (1, 2))
    listed = names_of(0)["Listed"]
    schedule = listed((second, first))
    assert isinstance(schedule, Schedule)
    assert schedule == listed((second, first)) and hash(schedule) == hash(listed((second, first)))
    assert schedule.next_after(datetime(2026, 1, 1, tzinfo=UTC)) == first
    assert schedule.next_after(first) == second
    assert schedule.next_after(second) is None


def test_the_publisher_publishes_and_says_what_was_not_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bus = names_of(1)["Bus"]
    monkeypatch.setattr(celery, "transport_to", lambda connection, timeout: bus(
        connection=connection, timeout=timeout))  # fmt: skip
    url = "memory://"
    publisher = celery.CeleryPublisher(app=app_for({"url": url}), timeout=60)
    task = entry("it", "t.it", options={"queue": "writing"})
    runs = [run(task, nth=nth) for nth in range(3)]
    assert publisher.publish(runs, always) == [Outcome("confirmed")] * 3
    with Connection(url) as connection:
        channel = connection.default_channel
        found = [channel.message_to_python(channel.basic_get("writing")).headers["id"]
                 for _ in runs]  # fmt: skip
    assert found == [one.task_id for one in runs]

    def full(*_: object, **__: object) -> None:
        raise BufferError

    monkeypatch.setattr("kombu.transport.virtual.base.Channel.basic_publish", full)
    assert [one.sent for one in publisher.publish(runs, always)] == ["unsent"] * 3
    publisher.close()


def test_the_place_opens_a_store_that_can_be_used(tmp_path: Path) -> None:
    with names_of(2)["yours"](tmp_path, lambda name: ("", 0)) as open_one:
        store: Store = open_one()
        put(store, "tidy")
        lead(store)
        assert row(open_one(), "tidy").entry.name == "tidy"
        store.close()
