"""Arguments of another scheduler keep their types, and what is nested too deeply is refused."""

import json
import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from celery import Celery
from celery.beat import ScheduleEntry
from celery.schedules import schedule
from hypothesis import given
from kombu.utils.json import dumps

from beatd.entry import Entry
from beatd.errors import ConfigError
from beatd.imports import to_entries
from beatd.imports.celerybeat_schedule import read_celerybeat_schedule
from beatd.imports.pickled import loads
from beatd.imports.redbeat import read_redbeat
from beatd.imports.table_row import row_found
from tests.imports.test_celerybeat_schedule import write, write_raw
from tests.typed import ARGS, KWARGS, shown

LAST = datetime(2026, 11, 20, tzinfo=UTC)
MOMENT = datetime(2027, 1, 1, 9, tzinfo=UTC)
TYPED = [
    MOMENT, date(2027, 1, 1), time(9, 30), Decimal("1.50"), b"\xff", b"text", uuid4(), [UUID(int=1)]
]  # fmt: skip
DEEP = 5000


def row(**columns: Any) -> dict[str, Any]:
    made = {
        "name": "x",
        "task": "t",
        "interval_every": 1,
        "interval_period": "hours",
        "last_run_at": None,
        "total_run_count": 0,
        "enabled": True,
    }
    return {**made, **columns}


def entry_of(found: Any) -> Entry:
    made = to_entries([found], timezone="UTC", source="cli")
    assert not made.refused, made.refused
    return made.entries[0].entry


@given(args=ARGS, kwargs=KWARGS, headers=KWARGS)
def test_a_row_keeps_the_types_that_kombu_wrote(
    args: list[Any], kwargs: dict[str, Any], headers: dict[str, Any]
) -> None:
    columns = {"args": dumps(args), "kwargs": dumps(kwargs), "headers": dumps(headers)}
    entry = entry_of(row_found(row(**columns), timezone="UTC"))
    assert repr((list(entry.args), entry.kwargs)) == repr((args, kwargs))
    assert repr(entry.options.get("headers", {})) == repr(headers)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_celerys_file_keeps_them(tmp_path: Path, protocol: int) -> None:
    app = Celery("proj", set_as_current=False)
    made = ScheduleEntry("x", "t", LAST, 1, schedule(60, app=app), tuple(TYPED), {"k": TYPED})
    assert repr(loads(pickle.dumps(TYPED, protocol))[:6]) == repr(TYPED[:6])
    path = write(tmp_path / "celerybeat-schedule", {"entries": {"x": made}})
    (found,) = read_celerybeat_schedule(path).found
    assert shown(entry_of(found)) == repr((TYPED, {"k": TYPED}, {}))


@pytest.mark.parametrize(
    "state", [{"int": "7"}, {"int": -1}, {"int": 1 << 128}, {}, 7, {"int": True}]
)
def test_a_uuid_that_is_none_is_refused(state: Any) -> None:
    forged = b"\x80\x02cuuid\nUUID\n)\x81" + pickle.dumps(state, 2)[2:-1] + b"b."
    with pytest.raises(ConfigError, match="it holds a UUID that is none"):
        loads(forged)


def test_the_class_of_a_uuid_is_no_argument(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"its pickle calls uuid\.UUID"):
        loads(pickle.dumps(UUID))
    app = Celery("proj", set_as_current=False)
    made = ScheduleEntry("x", "t", LAST, 1, schedule(60, app=app), (UUID,))
    path = write(tmp_path / "celerybeat-schedule", {"entries": {"x": made}})
    (refused,) = read_celerybeat_schedule(path).refused
    assert "uuid.UUID" in refused.reason


def test_celerys_file_refuses_what_is_nested_too_deeply(tmp_path: Path) -> None:
    app = Celery("proj", set_as_current=False)
    made = ScheduleEntry("x", "t", LAST, 1, schedule(60, app=app), ("deep",))
    # pickle itself cannot write it
    deep = b"(l" * DEEP + b"a" * (DEEP - 1)
    raw = pickle.dumps({"x": made}, 0).replace(b"Vdeep\n", deep)
    path = write_raw(tmp_path / "celerybeat-schedule", {"entries": raw})
    read = read_celerybeat_schedule(path)
    reasons = [no.reason for no in read.refused]
    reasons += [no.reason for no in to_entries(read.found, timezone="UTC", source="x").refused]
    assert len(reasons) == 1 and "nested deeper than 50 levels" in reasons[0]


@pytest.mark.parametrize("key", ["args", "kwargs", "headers"])
def test_a_row_that_is_nested_too_deeply_is_refused(key: str) -> None:
    for depth in (60, DEEP):
        text = '{"k":' + "[" * depth + "]" * depth + "}"
        with pytest.raises(Exception, match="nested deeper than 50 levels"):
            found = row_found(row(**{key: f"[{text}]" if key == "args" else text}), timezone="UTC")
            raise ValueError(to_entries([found], timezone="UTC", source="x").refused)


@pytest.fixture
def keys(server: Callable[[str], tuple[str, int]]) -> Iterator[tuple[str, str, redis.Redis]]:
    host, port = server("redis")
    prefix = f"t{uuid4().hex[:8]}:"
    client = redis.Redis(host, port, 11)
    yield f"redis://{host}:{port}/11", prefix, client
    for key in client.scan_iter(f"{prefix}*"):
        client.delete(key)
    client.close()


def test_redbeat_keeps_its_datetimes_wherever_they_stand(keys: Any) -> None:
    redbeat = pytest.importorskip("redbeat")
    url, prefix, _ = keys
    app = Celery("proj", broker=url, set_as_current=False)
    app.conf.update(redbeat_redis_url=url, redbeat_key_prefix=prefix)
    typed = json.loads(dumps([Decimal("1.50"), date(2027, 1, 1)]))
    redbeat.RedBeatSchedulerEntry(
        "x", "t", schedule(60), args=[MOMENT, [MOMENT]], kwargs={"k": {"at": MOMENT, "n": typed}},
        options={"headers": {"h": MOMENT}}, app=app,
    ).save()  # fmt: skip
    (found,) = read_redbeat(url, prefix=prefix).found
    entry = entry_of(found)
    utc = MOMENT
    assert list(entry.args) == [utc, [utc]]
    assert repr(entry.kwargs["k"]["n"]) == repr([Decimal("1.50"), date(2027, 1, 1)])
    assert (entry.kwargs["k"]["at"], entry.options) == (utc, {"headers": {"h": utc}})


@pytest.mark.parametrize("depth", [60, 400, 900, DEEP])
def test_redbeat_refuses_what_is_nested_too_deeply(keys: Any, depth: int) -> None:
    url, prefix, client = keys
    deep = '{"k":' * depth + "1" + "}" * depth
    client.hset(
        f"{prefix}x",
        "definition",
        f'{{"task": "t", "schedule": {{"__type__": "interval", "every": 60}}, "args": [{deep}]}}',
    )
    client.zadd(f"{prefix}:schedule", {f"{prefix}x": 0})
    read = read_redbeat(url, prefix=prefix)
    reasons = [no.reason for no in read.refused]
    reasons += [no.reason for no in to_entries(read.found, timezone="UTC", source="x").refused]
    assert len(reasons) == 1 and "nested deeper than 50 levels" in reasons[0]
