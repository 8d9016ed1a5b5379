"""celery's own file, in every dbm that this Python can write, and files made by an attacker."""

import gc
import pickle
import shelve
import sqlite3
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from celery.beat import ScheduleEntry
from celery.schedules import crontab, schedule, solar

from beatd.errors import BeatError, ConfigError
from beatd.imports import pickled, to_entries
from beatd.imports.celerybeat_schedule import read_celerybeat_schedule, zone_of
from beatd.imports.pickled import loads
from tests import needs

LAST = datetime(2026, 11, 20, 13, 5, 7, 123456, tzinfo=ZoneInfo("Europe/Berlin"))
DBMS = ("dumb", "gnu", "ndbm", "sqlite3 of 3.13")
EXTENSIONS = {"gnu": "_gdbm", "ndbm": "_dbm"}


def entries() -> dict[str, Any]:
    app = Celery("proj", set_as_current=False)
    kept = {
        "name": "weekly",
        "task": "proj.weekly",
        "schedule": schedule(timedelta(days=7), app=app),
        "args": (2, "x"),
        "kwargs": {"full": True},
        "options": {"queue": "slow", "expires": timedelta(hours=1)},
        "last_run_at": LAST,
        "total_run_count": 41,
    }
    others = {
        "office": crontab(minute="*/15", hour={9, 10}, day_of_week="mon-fri", app=app),
        "sunset": solar("sunset", 52.5, 13.4, app=app),
        "often": schedule(0.5, app=app),
    }
    made = {"weekly": ScheduleEntry(**kept, app=app)}
    for name, when in others.items():
        made[name] = ScheduleEntry(name, f"proj.{name}", LAST, 3, when, app=app)
    return made


def write(path: Path, values: dict[str, Any], kind: str = "dumb") -> Path:
    raw = {key: pickle.dumps(value) for key, value in values.items()}
    return write_raw(path, raw, kind)


def write_raw(path: Path, raw: dict[str, bytes], kind: str = "dumb") -> Path:
    if kind.startswith("sqlite3"):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)")
            for key, value in raw.items():
                connection.execute("INSERT INTO Dict VALUES (?, ?)", (key.encode(), value))
            connection.commit()
        return path
    with closing(import_module(f"dbm.{kind}").open(str(path), "c")) as file:
        for key, value in raw.items():
            file[key] = value
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "celerybeat-schedule"


@pytest.fixture(params=DBMS)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A kind of dbm; Debian's module is loaded where this Python was built without it."""
    extension = EXTENSIONS.get(request.param)
    if extension is None or find_spec(extension):
        yield request.param
        return
    spec = spec_from_file_location(extension, needs.program(extension))
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, extension, module)
    yield request.param
    sys.modules.pop(f"dbm.{request.param}", None)


def test_celerys_file_is_read_whichever_dbm_wrote_it(path: Path, kind: str) -> None:
    write(path, {"entries": entries(), "tz": "Europe/Berlin", "utc_enabled": True}, kind)
    before = sorted(path.parent.iterdir())

    read = read_celerybeat_schedule(path)

    assert [one.name for one in read.found] == ["weekly", "office", "sunset", "often"]
    assert not read.refused
    assert zone_of(path) == "Europe/Berlin"
    assert sorted(path.parent.iterdir()) == before


def test_an_interval_goes_on_from_its_last_run(path: Path) -> None:
    write(path, {"entries": entries()})
    made = to_entries(
        read_celerybeat_schedule(path).found, timezone="UTC", source="celerybeat-schedule"
    )

    weekly, office, sunset, often = made.entries

    assert (weekly.last, weekly.runs) == (LAST, 41)
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert weekly.entry.schedule.next_after(now) == LAST.replace(microsecond=0) + timedelta(days=7)
    assert weekly.entry.args == (2, "x")
    assert weekly.entry.options == {"queue": "slow", "expires": 3600}
    assert office.entry.schedule.plain() == {
        "crontab": {"minute": "*/15", "hour": [9, 10], "day_of_week": "mon-fri"}
    }
    assert sunset.entry.schedule.plain() == {"solar": {"event": "sunset", "lat": 52.5, "lon": 13.4}}
    assert often.entry.schedule.plain() == {"every": "0.5s"}


def test_the_file_of_a_real_celery_beat_is_read(path: Path) -> None:
    from celery.beat import PersistentScheduler

    app = Celery("proj", broker="memory://", set_as_current=False)
    app.conf.beat_schedule = {"tidy": {"task": "proj.tidy", "schedule": crontab(hour=3)}}
    beat = PersistentScheduler(app, schedule_filename=str(path))
    beat.close()

    read = read_celerybeat_schedule(path)

    assert [one.name for one in read.found] == ["tidy", "celery.backend_cleanup"]


@pytest.mark.parametrize("kind", ["dumb", "gnu"], indirect=True)  # ndbm writes when it is closed
def test_a_file_that_celery_beat_holds_open_is_read(path: Path, kind: str) -> None:
    file = import_module(f"dbm.{kind}").open(str(path), "c")
    with closing(shelve.Shelf(file, writeback=True)) as held:
        held["entries"] = entries()
        held.sync()
        assert len(read_celerybeat_schedule(path).found) == 4


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol_is_read(protocol: int) -> None:
    kept = loads(pickle.dumps(entries(), protocol))["weekly"].fields
    assert kept["last_run_at"] == LAST
    assert str(kept["last_run_at"].tzinfo) == "Europe/Berlin"


class Custom:
    """A class of somebody's project."""


def test_an_entry_with_a_foreign_class_is_refused_and_the_rest_is_read(path: Path) -> None:
    made = entries()
    made["odd"] = ScheduleEntry("odd", "proj.odd", LAST, 0, crontab(), args=(Custom(),))
    write(path, {"entries": made})

    read = read_celerybeat_schedule(path)

    assert len(read.found) == 4
    (refused,) = read.refused
    assert refused.name == "odd"
    assert "Custom" in refused.reason


class Touches:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def global_of(module: str, name: str, argument: str) -> bytes:
    return f"c{module}\n{name}\n(S'{argument}'\ntR.".encode()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "exec"),
        ("subprocess", "check_call"),
        ("celery.utils.imports", "symbol_by_name"),
        ("celery.beat", "ScheduleEntry.__init__"),
        ("importlib", "import_module"),
    ],
)
def test_a_file_whose_pickle_runs_code_is_refused_and_nothing_runs(
    path: Path, module: str, name: str
) -> None:
    mark = path.parent / "ran"
    argument = f"touch {mark}" if "sys" in name or name == "check_call" else f"open('{mark}','w')"
    escaped = argument.replace("'", "\\'")
    write_raw(path, {"entries": global_of(module, name, escaped)})

    with pytest.raises(ConfigError, match="refused"):
        read_celerybeat_schedule(path)

    assert not mark.exists()


def test_code_hidden_beside_good_entries_refuses_the_file(path: Path) -> None:
    mark = path.parent / "ran"
    # Called, thrown away, and followed by what looks like a schedule.
    hostile = global_of("os", "system", f"touch {mark}")[:-1] + b"0" + pickle.dumps({}, 0)
    write_raw(path, {"entries": hostile})

    with pytest.raises(ConfigError, match=r"os\.system"):
        read_celerybeat_schedule(path)

    assert not mark.exists()


def test_code_inside_an_entry_refuses_that_entry_and_does_not_run(path: Path) -> None:
    mark = path.parent / "ran"
    made = entries()
    made["bad"] = ScheduleEntry("bad", "t", LAST, 0, crontab(), kwargs={"x": Touches(mark)})
    write(path, {"entries": made})

    read = read_celerybeat_schedule(path)

    assert [one.name for one in read.refused] == ["bad"]
    assert not mark.exists()


@pytest.mark.parametrize(
    "attack",
    [
        b"cdatetime\ndatetime\n}S'__class__'\nS'x'\nsb.",  # state on a maker
        b"cceley.beat\nX\n.",
        b"cbuiltins\ngetattr\n(cdatetime\ndatetime\nS'__init__'\ntR.",
        b"\x80\x04\x95",  # cut off
        b"Pid\n.",  # a persistent id
        b"\x82\x01.",  # an extension code
        b"",
        pickle.dumps([1]) * 2 + b"junk",
    ],
    ids=["state", "unknown", "getattr", "short", "persistent", "extension", "empty", "junk"],
)
def test_a_broken_or_clever_pickle_is_one_line_of_error(path: Path, attack: bytes) -> None:
    write_raw(path, {"entries": attack})
    with pytest.raises(ConfigError) as error:
        read_celerybeat_schedule(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("place", [f"({2**64}, 9)", "(0, 1e999)", "(1e999, 9)", "(-1, 9)", "7"])
def test_an_index_that_is_no_index_is_one_line_of_error(path: Path, place: str) -> None:
    write(path, {"entries": entries()})
    Path(f"{path}.dir").write_text(f"'entries', {place}\n")
    with pytest.raises(ConfigError, match="this line is broken"):
        read_celerybeat_schedule(path)


def test_a_missing_file_and_one_of_another_kind_are_told(path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_celerybeat_schedule(path)
    path.write_text("hello")
    with pytest.raises(ConfigError, match="no celery beat schedule"):
        read_celerybeat_schedule(path)


def test_a_decoded_pickle_leaves_nothing_behind() -> None:
    def makers() -> int:
        gc.collect()
        return sum(isinstance(one, pickled.Maker) for one in gc.get_objects())

    before = makers()
    loads(pickle.dumps(entries()))
    with pytest.raises(ConfigError, match="not callable"):
        loads(b"\x80\x02cdatetime\ntimedelta\nq\x00K\x01)R.")
    assert makers() == before


def test_a_short_pickle_that_holds_itself_is_refused_after_little_work(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(pickled, "is_unknown", lambda value: seen.append(None))
    ring: list[Any] = []
    ring += [ring] * 9
    write(path, {"entries": ring})
    with pytest.raises(ConfigError, match="more than any schedule"):
        read_celerybeat_schedule(path)
    assert 100_000 < len(seen) < 200_000


def test_a_pickle_that_unfolds_without_end_is_refused_at_once(path: Path) -> None:
    many: Any = "x"
    for _ in range(40):
        many = [many] * 10
    made = entries()
    made["bomb"] = ScheduleEntry("bomb", "t", LAST, 0, crontab(), args=(many,))
    write(path, {"entries": made})
    with pytest.raises(ConfigError, match="more than any schedule"):
        read_celerybeat_schedule(path)


@pytest.mark.parametrize(
    "line",
    ["'entries', (-5, 10)", "'entries', (0, 10**15)", "'entries', (0, 999999999999)", "'entries'",
     "(" * 5000, "'entries', {}"],
)  # fmt: skip
def test_a_spoilt_index_is_one_line(path: Path, line: str) -> None:
    Path(f"{path}.dir").write_text(line + "\n")
    Path(f"{path}.dat").write_bytes(b"x" * 20)
    with pytest.raises(BeatError) as error:
        read_celerybeat_schedule(path)
    assert "\n" not in str(error.value)


def calling(name: str, *arguments: bytes, module: str = "builtins") -> bytes:
    """Opcodes that call a name with what these opcodes make."""
    return f"c{module}\n{name}\n".encode() + b"(" + b"".join(arguments) + b"tR"


MANY = b"I10000000000\n"
TWICE = b"2\x86"  # the value on top, twice, in a tuple
DOUBLED = b"(lX\x01\x00\x00\x00aa" + TWICE * 40
HUNDRED_THOUSAND = b"(" + b"N" * 100_000 + b"l"


@pytest.mark.parametrize(
    "opcodes",
    [
        calling("list", calling("range", MANY)),
        calling("set", calling("range", MANY)),
        calling("range", MANY),
        calling("bytearray", MANY),
        calling("encode", DOUBLED, module="_codecs"),
        calling("ZoneInfo", DOUBLED, module="zoneinfo"),
        calling("getattr", b"N", DOUBLED),
        calling("Decimal", DOUBLED, module="decimal"),
        b"(" + HUNDRED_THOUSAND + b"q\x01" + calling("list", b"h\x01") * 2000 + b"t",
        b"Nr\xff\xff\xff\x07",
        b"Np134217727\n",
    ],
    ids=[
        *("list", "set", "range", "bytearray", "encode", "zone", "getattr", "decimal"),
        *("copies", "place in the memo", "place in the memo as text"),
    ],
)
def test_a_few_bytes_of_pickle_make_no_more_than_a_schedule(opcodes: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError) as error:
            loads(b"\x80\x02" + opcodes + b".")
        assert tracemalloc.get_traced_memory()[1] < 200 * 2**20
    finally:
        tracemalloc.stop()
    assert len(str(error.value)) < 400 and "\n" not in str(error.value)


def test_a_range_that_is_too_long_spoils_one_entry_alone(path: Path) -> None:
    made = entries()
    made["office"].args = [range(10**10)]
    read = read_celerybeat_schedule(write(path, {"entries": made}))
    assert {one.name for one in read.found} == {"often", "sunset", "weekly"}
    assert "range of 10000000000 numbers" in read.refused[0].reason


def test_a_value_that_cannot_be_spoils_one_entry_alone(path: Path) -> None:
    made = entries()
    made["often"].last_run_at = LAST.replace(tzinfo=ZoneInfo("Asia/Tokyo"))
    made["office"].args = [timedelta(days=123)]
    made["weekly"].schedule.run_every = 1e308
    raw = pickle.dumps(made, protocol=0)
    raw = raw.replace(b"Asia/Tokyo", b"Mars/Basis").replace(b"I123\n", b"I" + b"9" * 30 + b"\n")
    read = read_celerybeat_schedule(write_raw(path, {"entries": raw}))
    assert {one.name: one.last is None for one in read.found} == {"often": False, "sunset": False}
    reasons = {no.name: no.reason for no in read.refused}
    assert set(reasons) == {"office", "weekly"}
    assert "broken value" in reasons["office"]
    assert "too large" in reasons["weekly"]
