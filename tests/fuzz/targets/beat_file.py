"""Files in which celery beat saves its entries, and the pickles in them."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from celery import Celery
from celery.beat import ScheduleEntry
from celery.schedules import crontab, schedule, solar

from beatd.imports import to_entries
from beatd.imports.celerybeat_schedule import read_celerybeat_schedule, zone_of
from beatd.imports.crontab_file import read_crontab
from beatd.imports.found_entry import Read
from beatd.imports.pickled import loads
from tests.fuzz.attempt import without_values
from tests.fuzz.target import Call, Target
from tests.fuzz.targets.files import blocks
from tests.fuzz.targets.texts import direct

LAST = datetime(2026, 11, 20, 13, 5, 7, 123456, tzinfo=UTC)


def _entries() -> dict[str, ScheduleEntry]:
    app = Celery("proj", set_as_current=False)
    whens = {
        "weekly": schedule(timedelta(days=7), app=app),
        "office": crontab(minute="*/15", hour={9, 10}, day_of_week="mon-fri", app=app),
        "sunset": solar("sunset", 52.5, 13.4, app=app),
        "often": schedule(0.5, app=app),
    }
    options = {"queue": "slow", "expires": timedelta(hours=1)}
    return {
        name: ScheduleEntry(name, f"p.{name}", LAST, 3, when, (2, "x"), {"a": 1}, options, app=app)
        for name, when in whens.items()
    }


def _pickles() -> Iterator[bytes]:
    for protocol in (0, 1, 2, 4):
        for name, entry in _entries().items():
            yield pickle.dumps({name: entry}, protocol)
        yield pickle.dumps({"a": [LAST, timedelta(1), (1, b"x", {2.5, None}), {"b": {}}]}, protocol)


def _pickle(data: bytes) -> str:
    return type(loads(data)).__name__


@contextmanager
def _opened_pickles(folder: Path) -> Iterator[Call]:
    path = folder / "celerybeat-schedule"

    def call(data: bytes) -> str:
        lines = [f"'entries', (0, {len(data)})", "'tz', (0, 5)"]
        Path(f"{path}.dir").write_text("\n".join(lines))
        Path(f"{path}.dat").write_bytes(data)
        return _imported(path)

    yield call


@contextmanager
def _opened_file(folder: Path) -> Iterator[Call]:
    path = folder / "celerybeat-schedule"

    def call(data: bytes) -> str:
        # One file of dbm.dumb after the other, or the file of another dbm.
        index, mark, content = data.partition(b"\n\n")
        for suffix in (".dir", ".dat", ""):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        if mark and data[:1] in (b"'", b'"'):
            Path(f"{path}.dir").write_bytes(index)
            Path(f"{path}.dat").write_bytes(content)
        else:
            path.write_bytes(data)
        zone_of(path)
        return _imported(path)

    yield call


def _imported(path: Path) -> str:
    return _made_of(read_celerybeat_schedule(path))


def _made_of(read: Read) -> str:
    # The same for files that differ only in values, or in that they have more of the same.
    made = to_entries(read.found, timezone="UTC", source="cli")
    reasons = [str(one.reason) for one in (*read.refused, *made.refused)]
    for reason in reasons:
        assert "\n" not in reason and len(reason) < 2000
    kinds = sorted({_kind(reason) for reason in reasons})
    return f"{len(made.entries[:4])} {kinds[:2]}"


def _kind(reason: str) -> str:
    # The words after the last value, such as " is not a month".
    words = without_values(reason).rpartition("…")[2]
    return words[:30] if words.startswith(" ") else ""


def _files() -> Iterator[bytes]:
    content = pickle.dumps(_entries())
    zone = pickle.dumps("Europe/Berlin")
    index = f"'entries', (0, {len(content)})\n'tz', ({len(content)}, {len(zone)})"
    yield index.encode() + b"\n\n" + content + zone
    yield b"SQLite format 3\x00" + bytes(200)
    yield b"\xce\x9a\x57\x13" + bytes(200)  # gdbm
    yield b"\x61\x15\x06\x00" * 8  # ndbm


@contextmanager
def _opened_crontab(folder: Path) -> Iterator[Call]:
    path = folder / "crontab"

    def call(data: bytes) -> str:
        path.write_bytes(data)
        said = ""
        for user_column in (False, True):
            read = read_crontab(path, runner="p.run", user_column=user_column)
            said += f"{_made_of(read)} "
        return said

    yield call


def _crontabs() -> Iterator[bytes]:
    yield b"# a comment\nSHELL=/bin/sh\nCRON_TZ=Europe/Berlin\n30 2 * * mon-fri root /usr/bin/a --b 'c d' %in\n@reboot x\n*/5 * * * * celery -A p call p.t --args='[1]' --kwargs='{\"a\": 1}' -Q q\n"
    yield from blocks("crontab")


TARGETS = (
    Target(
        name="pickles", about="pickles of a celerybeat-schedule file, decoded alone",
        seeds=_pickles, opened=direct(_pickle), words=("datetime", "builtins", "getattr", "celery.beat"),
    ),
    Target(
        name="beat-entries", about="the pickled entries of a celerybeat-schedule file, imported",
        seeds=_pickles, opened=_opened_pickles, weight=10,
        words=("celery.schedules", "crontab", "datetime", "timedelta", "zoneinfo", "ZoneInfo"),
    ),
    Target(
        name="beat-file", about="the bytes of a celerybeat-schedule file", seeds=_files,
        opened=_opened_file, words=("'entries'", "'tz'", "(0, 9)", "\n\n"), weight=3,
    ),
    Target(
        name="crontab-file", about="a crontab of cron, imported", seeds=_crontabs,
        opened=_opened_crontab, weight=3,
        words=("CRON_TZ=", "%", "@hourly", "@every 5m", "celery call", "--args", "--eta", "'", '"', "\\", "root"),
    ),
)  # fmt: skip
