"""Tables on terminals of 60, 80 and 120 columns: no line wraps, and what matters can be read."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from beatd.catalog import Change, Query
from beatd.cli.column_widths import cut_in_middle, fitted, text_width
from beatd.publisher import Outcome
from beatd.views.time_text import short_moment_text
from tests.cli.conftest import Here
from tests.cli.test_history import ran

LONG = "customer-" + "n" * 180 + "-germany"
WIDE = "日報を毎日送る定期的な仕事の名前はとても長いです" * 4
NAMES = ("tidy", LONG, WIDE)
REASON = "404 NOT_FOUND no exchange 'reports' in vhost '/' " * 4

Lines = Callable[..., list[str]]


@pytest.fixture
def lines(here: Here, monkeypatch: pytest.MonkeyPatch) -> Lines:
    """lines(columns, *words) is what a command prints on a terminal this wide."""
    monkeypatch.setattr("beatd.cli.paged_table.is_terminal", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("LINES", "500")

    def run(columns: int, *words: object) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        return here(*words).out.splitlines()

    return run


@pytest.fixture
def busy(here: Here) -> Here:
    for name in NAMES:
        here("add", name, "--task", f"proj.billing.{'t' * 60}", "--cron", "30 2 * * *")
        ran(here, Outcome("confirmed"), name=name)
        ran(here, Outcome("rejected", REASON), name=name)
    here("pause", "tidy", "--until", "2h", "--note", "the disk is broken and nobody is here")
    return here


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
@pytest.mark.parametrize("command", ["list", "history", "changes"])
def test_no_line_wraps(busy: Here, lines: Lines, command: str, columns: int) -> None:
    table = [line for line in lines(columns, command) if not line.endswith(".")]
    assert len(table) > 4
    assert max(map(text_width, table)) <= columns


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_schedules_and_next_runs_are_read_beside_a_long_name(
    busy: Here, lines: Lines, columns: int
) -> None:
    header, _, *rows = lines(columns, "list")
    assert header.split()[:3] == ["name", "schedule", "next"]
    assert all("cron 30 2 * * *" in row for row in rows)
    assert sum(" in " in row for row in rows) >= 2
    assert any("paused until" in row for row in rows)
    assert any(row.startswith("customer") and "germany " in row for row in rows)


def test_a_short_list_leaves_nothing_out(here: Here, lines: Lines) -> None:
    here("add", "tidy", "--task", "proj.tidy", "--every", "1h")
    ran(here, Outcome("confirmed"), name="tidy")
    header, _, row = lines(80, "list")
    assert header.split() == ["name", "schedule", "next", "last", "runs", "task"]
    assert "…" not in row and "proj.tidy" in row


def test_a_pipe_has_the_whole_text(busy: Here) -> None:
    listed, shown = busy("list").out, busy("history").out
    assert all(name in listed and name in shown for name in NAMES)
    assert REASON.strip() in shown
    (task_id,) = {one["task_id"] for one in busy.json("history", "tidy", "--state", "published")}
    assert len(task_id) == 36 and task_id in shown


def test_a_terminal_has_as_much_of_a_task_id_as_tells_it_apart(busy: Here, lines: Lines) -> None:
    (record,) = busy.json("history", "tidy", "--state", "published")
    (row,) = [line for line in lines(200, "history", "tidy") if "published" in line]
    assert row.endswith(f"   {record['task_id'][:8]}")


def test_a_narrow_terminal_names_the_zone_once(busy: Here, lines: Lines) -> None:
    title, header, _, row, *_ = lines(80, "history", "tidy")
    assert title == "Times are in Europe/Berlin."
    assert header.startswith("planned for ")
    assert "CET" not in row and "02:30:00" not in row.split()[0]
    assert "CE" in lines(120, "history", "tidy")[2]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2027-01-31T08:00:00.123456Z", "01-31 09:00:00"),
        ("2026-12-31T23:30:00Z", "01-01 00:30:00"),
        ("2026-12-31T22:30:00Z", "2026-12-31 23:30:00"),
        ("2027-10-31T00:30:00Z", "10-31 02:30:00 CEST"),
        ("2027-10-31T01:30:00Z", "10-31 02:30:00 CET"),
    ],
)
def test_a_short_moment_leaves_out_what_is_known(moment: str, text: str) -> None:
    now = datetime(2027, 6, 1, tzinfo=UTC)
    assert short_moment_text(datetime.fromisoformat(moment), "Europe/Berlin", now) == text


def test_what_is_left_of_a_terminal_is_shared() -> None:
    natural = {"name": 200, "schedule": 10, "next": 60}
    least = {"next": 20, "name": 16}
    assert fitted(natural, 76, least, ()) == {"name": 28, "schedule": 10, "next": 32}
    assert fitted(natural, 40, least, ()) == {"name": 12, "schedule": 10, "next": 12}
    assert fitted(natural, 40, least, ("name",)) == {"schedule": 10, "next": 27}


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [("abcdefghij", 5, "ab…ij"), ("abcdefghij", 6, "abc…ij"), ("日報を毎日", 7, "日…日")],
)
def test_a_name_keeps_both_its_ends(text: str, width: int, cut: str) -> None:
    assert cut_in_middle(text, width) == cut
    assert text_width(cut) <= width


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_status_has_one_line_for_each_next_run(
    busy: Here, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    busy("resume", "tidy")
    monkeypatch.setattr("beatd.cli.paged_table.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = busy("status", code=1).out.splitlines()
    following = lines[[line.startswith("next ") for line in lines].index(True) :]
    assert len(following) == 3
    assert all(text_width(line) <= columns for line in following)
    assert any("customer" in line and line.endswith("germany") for line in following)


# the order of the history


def test_a_history_out_of_order_says_so(here: Here, lines: Lines) -> None:
    for name in ("tidy", "late"):
        here("add", name, "--task", "t", "--every", "1h")
        for _ in range(2):
            ran(here, Outcome("confirmed"), name=name)
    said = "The record written last is first. After an outage, runs come out of order."
    assert lines(120, "history")[0] == said
    assert lines(120, "history", "late")[0].startswith("planned for")


def test_a_backlog_is_shown_in_the_order_of_its_publishing(here: Here, lines: Lines) -> None:
    here("add", "x", "--task", "t", "--every", "1h")
    ran(here, Outcome("confirmed"))  # on time, while the backlog waits
    _set_plan(here, datetime.now(UTC) - timedelta(hours=5))
    ran(here, Outcome("confirmed"), late=timedelta(hours=5))
    first, *_ = lines(80, "history", "x")
    assert first.startswith("The record written last is first.")


def _set_plan(here: Here, moment: datetime) -> None:
    store = here.store()
    (row,) = store.find(Query(names=("x",)))
    plan = replace(row.plan, planned=moment, due=moment)
    change = Change(name="x", seen=row.revision, entry=row.entry, plan=plan, progress=row.progress)
    assert store.write([change]) == [True]
    store.close()
