"""beatd list and show"""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from beatd.catalog import Query
from beatd.changes import Author
from beatd.cli.leader_note import NOTHING_RUNS
from beatd.cli.paged_table import print_pages
from beatd.clock import SystemClock
from beatd.definition import codec, entry_from
from beatd.edits.editing import in_batches
from beatd.edits.entry_change import added
from beatd.edits.pausing import pause
from beatd.stores import sqlite_quick_list as glancing
from beatd.stores.sql import migrations
from beatd.stores.sqlite_quick_list import VERSION, Glance, glance
from tests.cli.conftest import Beatd, Here

BERLIN = ZoneInfo("Europe/Berlin")
KEYS = [
    *("name", "task", "schedule", "tz", "args", "kwargs", "options", "enabled", "paused"),
    *("pause", "next", "last", "runs", "source", "outcome", "running"),
]


@pytest.fixture
def some(here: Here) -> Here:
    entries = (
        entry_from("b-soon", {"task": "proj.mail", "every": "1s"}),
        entry_from("a-late", {"task": "proj.report", "at": "2036-01-01T00:00:00Z"}),
        entry_from("c-off", {"task": "proj.mail", "every": "1s", "enabled": False}),
        entry_from("d-held", {"task": "proj.tidy", "every": "1s"}),
    )
    store, now = here.store(), SystemClock().now()
    store.write([added(entry, now, None) for entry in entries])
    pause(store, ["d-held"], lambda: now, Author("ann@host-1"))
    store.close()
    return here


def names(here: Here, *words: object) -> list[str]:
    return [row["name"] for row in here.json("list", *words)]


def test_the_next_to_run_comes_first_and_what_never_runs_last(some: Here) -> None:
    assert names(some) == ["b-soon", "a-late", "c-off", "d-held"]
    assert names(some, "--sort", "name") == ["a-late", "b-soon", "c-off", "d-held"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("b-*",), ["b-soon"]),
        (("?-late",), ["a-late"]),
        (("nothing",), []),
        (("--task", "proj.mail"), ["b-soon", "c-off"]),
        (("--task", "*.t*"), ["d-held"]),
        (("--source", "cli", "--limit", "2"), ["b-soon", "a-late"]),
        (("--source", "yaml:config"), []),
        (("--due-within", "1m"), ["b-soon"]),
        (("--paused",), ["d-held"]),
        (("--disabled",), ["c-off"]),
        (("--paused", "--disabled"), ["c-off", "d-held"]),
        (("--paused", "--disabled", "--limit", "1"), ["c-off"]),
        (("--enabled",), ["b-soon", "a-late"]),
    ],
)
@pytest.mark.parametrize("through", ["glance", "store"])
def test_filters(
    some: Here, monkeypatch: pytest.MonkeyPatch, words: Any, found: list[str], through: str
) -> None:
    if through == "store":
        monkeypatch.setattr(glancing, "VERSION", -1)
    assert names(some, *words) == found


def test_json_has_what_is_promised(some: Here) -> None:
    row = some.json("list", "a-late")[0]
    assert list(row) == KEYS
    assert row == some.json("show", "a-late")
    assert row["schedule"] == {"at": "2036-01-01T00:00:00Z"}
    assert (row["next"], row["last"], row["runs"]) == ("2036-01-01T00:00:00Z", None, 0)


def test_the_table_says_why_nothing_is_ahead(some: Here) -> None:
    lines = {line.split()[0]: line for line in some("list").out.splitlines()}
    assert lines["name"].split() == ["name", "schedule", "next", "task"]
    assert "paused" in lines["d-held"] and "disabled" in lines["c-off"]


def test_what_is_paused_says_since_when_it_misses_its_runs(here: Here) -> None:
    store, then = here.store(), SystemClock().now() - timedelta(hours=2)
    store.write([added(entry_from("x", {"task": "t", "every": "1h"}), then, None)])
    pause(store, ["x"], lambda: then, Author("ann@host-1"))
    store.close()
    assert here.json("show", "x")["next"] is None
    assert "paused, first missed 1 h" in here("list").out
    (line,) = [line for line in here("show", "x").out.splitlines() if line.startswith("next")]
    missed = (then + timedelta(hours=1)).astimezone(BERLIN)
    assert "paused, first missed 1 h" in line and f"{missed:%H:00:00}" in line
    here("resume", "x")
    (record,) = here.json("history", "x")
    assert (record["state"], record["reason"]) == ("skipped", "paused")


def test_a_pipe_gets_every_name_whole(here: Here) -> None:
    name, task = "n" * 200, "t" * 300
    here("add", name, "--task", task, "--every", "5m")
    out = here("list").out
    assert name in out and task in out


def test_the_rule_in_a_pipe_ends_with_the_header_whatever_the_last_column_has(here: Here) -> None:
    for name, task in (("a", "t" * 300), ("a-long-name", "t")):
        here("add", name, "--task", task, "--every", "5m")
    header, rule, *rows = here("list").out.splitlines()
    assert len(header) == len(rule) < 100
    assert [row[header.index("task") :] for row in rows] == ["t" * 300, "t"]


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_narrow_terminal_the_end_of_a_task_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setattr("sys.stdout", Terminal())
    row = ("name", "cron */10 8-18 * * mon-fri", "project.billing.tasks.run_the_invoices")
    print_pages(("name", "schedule", "task"), [row], nothing="", least={"task": 12})
    line = sys.stdout.getvalue().splitlines()[-1]  # type: ignore[attr-defined]
    assert line == "name   cron */10 8-18 * * mon-fri   …_the_invoices"


def test_an_empty_store_is_an_empty_list(here: Here) -> None:
    here.store().close()
    assert here.json("list") == []
    ended = here("list")
    assert (ended.out, ended.line) == ("", "no entry; `beatd add` makes one")


def test_thousands_are_listed_in_pages(here: Here) -> None:
    store = here.store()
    entries = (entry_from(f"e{n:04}", {"task": "t", "every": "1h"}) for n in range(1200))
    for batch in in_batches(entries):
        store.write([added(entry, SystemClock().now(), None) for entry in batch])
    store.close()
    assert len(names(here)) == 1200
    assert sum(line.startswith("e") for line in here("list").out.splitlines()) == 1200


def test_show_tells_whose_it_is(here: Here) -> None:
    here.config("entries: {x: {task: t, every: 5m, description: for me}}\n")
    here("apply")
    out = here("show", "x").out
    assert "declared in config.yaml (source yaml:config)" in out
    assert "for me" in out and "every 5" in out


def test_show_tells_who_added_it(here: Here) -> None:
    here("add", "x", "--task", "t", "--every", "5m")
    assert "added by hand (source cli)" in here("show", "x").out


def test_an_unknown_name_is_told_in_a_line(some: Here) -> None:
    line = some("show", "a-lat", code=1).line
    assert line == "beatd: no entry 'a-lat' in the store; did you mean 'a-late'?"


# the look without SQLAlchemy


def test_a_glance_reads_the_schema_of_today() -> None:
    assert migrations.VERSION == VERSION


def test_a_glance_sees_what_the_store_finds(some: Here) -> None:
    store = some.store()
    for query in (Query(), Query(order="next"), Query(name_like="[a-d]*"), Query(limit=2)):
        seen = glance(some.folder / "beatd.db", query, codec, 500)
        assert seen == Glance(list(store.find(query)), {}, set(), daemon_leads=False, reloads=False)
    for query in (Query(names=("d-held",)), Query(contains="held"), Query(paused=True)):
        assert glance(some.folder / "beatd.db", query, codec, 500) is None
    store.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("definition", b"\xff"), ("definition", "x"), ("planned", 2**62), ("planned", "x"),
        ("pause", "{"), ("pause", "[" * 5000),
    ],
)  # fmt: skip
def test_a_glance_at_damaged_rows_is_no_answer(some: Here, column: str, value: Any) -> None:
    table = {"planned": "plan", "pause": "pause"}.get(column, "entry")
    with closing(sqlite3.connect(some.folder / "beatd.db")) as file, file:
        file.execute("UPDATE beatd_entry SET paused = 1")
        file.execute("INSERT OR IGNORE INTO beatd_pause SELECT name, NULL, '' FROM beatd_entry")
        file.execute(f"UPDATE beatd_{table} SET {column} = ?", (value,))
    assert glance(some.folder / "beatd.db", Query(), codec, 500) is None


def test_a_glance_at_anything_else_is_no_answer(tmp_path: Path) -> None:
    assert glance(tmp_path / "nothing.db", Query(), codec, 500) is None
    assert glance(tmp_path, Query(), codec, 500) is None
    (tmp_path / "text.db").write_text("not a database" * 100)
    assert glance(tmp_path / "text.db", Query(), codec, 500) is None
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE t (x)")
    assert glance(tmp_path / "other.db", Query(), codec, 500) is None


@pytest.mark.parametrize("words", [("list",), ("list", "--json")])
def test_a_small_store_is_listed_without_waiting_for_large_imports(some: Here, words: Any) -> None:
    program = (
        "import sys\n"
        "from beatd.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as ended: assert not ended.code\n"
        "slow = {'sqlalchemy', 'celery', 'kombu', 'rich', 'redis'} & set(sys.modules)\n"
        "assert not slow, slow\n"
    )
    config = some.folder / "config.yaml"
    done = subprocess.run(
        [sys.executable, "-c", program, "-c", config, *words],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, f"beatd: {NOTHING_RUNS}\n")


def test_an_entry_makes_the_folder_as_the_daemon_would(beatd: Beatd, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("broker: memory://\nstore: 'sqlite:///not/yet/b.db'\n")
    ended = beatd("add", "x", "--task", "t", "--every", "1h", "-c", config)
    assert (ended.code, "no directory" in ended.err) == (0, False)
    assert (tmp_path / "not/yet/b.db").exists()


def test_a_terminal_that_knows_no_lines_gets_dashes(here: Here) -> None:
    here("add", "a", "--task", "t", "--every", "1h")
    found = subprocess.run(
        [sys.executable, "-m", "beatd", "list", "-c", here.folder / "config.yaml"],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert set(found.stdout.decode("ascii").splitlines()[1]) == {"-"}
