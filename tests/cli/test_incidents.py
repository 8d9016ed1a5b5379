"""What `beatd incidents`, `beatd alerts test` and `beatd check` say of alerts."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from msgspec.structs import replace

from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.incident import Incident
from beatd.wiring.backends import open_store
from tests.cli.conftest import Beatd
from tests.notifiers.receivers import closed_url, receiver
from tests.process import Process

OPENED = datetime(2026, 3, 2, 12, tzinfo=UTC)
CONFIG = """
broker: {url: "memory://"}
store: {url: "sqlite:///beatd.db"}
alerts: {to: [%s]}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG % "")
    store = open_store(f"sqlite:///{tmp_path / 'beatd.db'}", codec=codec, clock=SystemClock())
    failing = Incident(
        kind="failed", name="nightly", opened=OPENED, revision=1, observed="3 failures in a row",
        threshold="failed: 3", announced=OPENED, flaps=1,
    )  # fmt: skip
    over = replace(failing, kind="broker away", name="", opened=OPENED - timedelta(days=1))
    assert store.put_incidents([over, failing]) == [True, True]
    closed = replace(over, revision=2, closed=OPENED - timedelta(hours=20), resolved=OPENED)
    assert store.put_incidents([closed]) == [True]
    store.close()
    return path


def test_open_incidents_are_shown(beatd: Beatd, config: Path) -> None:
    shown = beatd("incidents", "-c", config)
    assert "nightly" in shown.out and "3 failures in a row" in shown.out
    assert "broker away" not in shown.out
    wrong = beatd("incidents", "other", "-c", config)
    assert wrong.code == 1 and "no entry 'other'" in wrong.line
    beatd("add", "other", "--task", "t", "--every", "1h", "-c", config)
    assert beatd("incidents", "other", "-c", config).err == "no open incidents\n"


def test_incidents_fit_a_narrow_terminal(
    beatd: Beatd, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(f"sqlite:///{config.parent / 'beatd.db'}", codec=codec, clock=SystemClock())
    long = Incident(
        kind="late", name="n" * 60, opened=OPENED.replace(microsecond=123_456), revision=1,
        observed="x" * 200,
    )  # fmt: skip
    assert store.put_incidents([long]) == [True]
    store.close()
    assert "12:00:00 UTC" in beatd("incidents", "-c", config).out
    monkeypatch.setattr("beatd.cli.paged_table.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    lines = click.unstyle(beatd("incidents", "-c", config).out).splitlines()
    assert all(len(line) <= 80 for line in lines) and "x" * 11 in lines[3]


def test_status_says_what_an_incident_of_a_long_name_is(beatd: Beatd, config: Path) -> None:
    store = open_store(f"sqlite:///{config.parent / 'beatd.db'}", codec=codec, clock=SystemClock())
    name = "customer-" + "n" * 190
    long = Incident(kind="late", name=name, opened=OPENED, revision=1, observed="by 3 h")
    assert store.put_incidents([long]) == [True]
    store.close()
    out = beatd("status", "-c", config).out
    assert "late of customer-" in out and ", since 2026-03-02" in out and "by 3 h" in out


def test_status_has_the_open_incidents_those_of_the_whole_first(beatd: Beatd, config: Path) -> None:
    store = open_store(f"sqlite:///{config.parent / 'beatd.db'}", codec=codec, clock=SystemClock())
    names = [f"n{number}" for number in range(6)]
    for name in [*names, ""]:
        kind = "late" if name else "outcomes away"
        one = Incident(kind=kind, name=name, opened=OPENED, revision=1, observed="so")  # type: ignore[arg-type]
        assert store.put_incidents([one]) == [True]
    store.close()
    found = beatd("status", "--json", "-c", config).json
    assert isinstance(found, dict)
    assert found["incidents"][0] == {
        "kind": "outcomes away", "entry": None, "opened": "2026-03-02T12:00:00Z", "observed": "so",
    }  # fmt: skip
    assert [one["entry"] for one in found["incidents"]] == [None, "nightly", *names]
    out = beatd("status", "-c", config).out
    assert "8 open; `beatd incidents` shows all" in out
    assert "outcomes away, since 2026-03-02 12:00:00 UTC: so" in out
    assert "failed of nightly, since" in out and "n2" in out and "n3" not in out


def test_all_incidents_are_shown_as_json(beatd: Beatd, config: Path) -> None:
    first, second = beatd("incidents", "--all", "--json", "-c", config).json  # type: ignore[misc]
    assert (first["kind"], first["entry"], first["closed"]) == ("failed", "nightly", None)
    assert (second["kind"], second["entry"], second["lasted"]) == ("broker away", None, 14400)
    (one,) = beatd("incidents", "nightly", "--all", "--json", "-c", config).json  # type: ignore[misc]
    assert one["entry"] == "nightly"


def test_a_test_message_goes_to_each_url_with_a_line_for_each(beatd: Beatd, config: Path) -> None:
    gone = closed_url()
    with receiver() as good:
        config.write_text(CONFIG % f"'{good.url}', '{gone}'")
        tried = beatd("alerts", "test", "-c", config)
        assert tried.code == 1
        first, second = tried.out.splitlines()
        assert first.endswith(": delivered") and "no connection" in second
        assert beatd("alerts", "test", good.url, "-c", config).code == 0
        assert [one.json["type"] for one in good.received] == ["test", "test"]


def test_without_a_url_nothing_can_be_tried(beatd: Beatd, config: Path) -> None:
    assert "alerts.to has no URL" in beatd("alerts", "test", "-c", config).err


def test_check_names_a_url_that_apprise_does_not_know_without_its_secrets(
    beatd: Beatd, config: Path
) -> None:
    config.write_text(CONFIG % "'nosuch://me:hunter2word@host/token99'")
    checked = beatd("check", "-c", config)
    assert checked.code == 1 and "hunter2word" not in checked.out and "token99" not in checked.out
    assert (
        "alerts.to[0]: nosuch://*** is not a URL that Apprise knows: there is no such service"
        in checked.out
    )


def test_check_says_that_apprise_is_not_installed(
    beatd: Beatd, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beatd.notifiers.apprise.is_installed", lambda: False)
    config.write_text(CONFIG % "'mailto://me:hunter2word@host'")
    assert "pip install 'beatd[alerts]'" in beatd("check", "-c", config).out


UNJUDGED = (
    'broker: {url: "memory://"}\nstore: {url: "sqlite:///beatd.db"}\n'
    "defaults: {alert: {failed: 3}}\nentries:\n  a: {task: t, every: 1h}\n"
    "  b: {task: t, every: 1h}\n"
)


def test_an_alert_that_nobody_judges_fails_check_and_add_warns(beatd: Beatd, config: Path) -> None:
    config.write_text(UNJUDGED)
    ended = beatd("check", "-c", config)
    assert ended.code == 1
    line = "config.yaml:5: error: entries.a.alert: is not judged (nor that of 1 more), so nobody is"
    assert line in ended.out
    config.write_text(f"alerts: {{}}\n{UNJUDGED}")
    assert beatd("check", "-c", config).code == 0
    config.write_text(UNJUDGED)
    added = beatd("add", "b", "--task", "t", "--every", "1h", "--alert", "late=1m", "-c", config)
    assert added.code == 0 and "--alert: is not judged" in added.err


def test_the_daemon_warns_of_an_alert_that_nobody_judges_and_runs(config: Path) -> None:
    config.write_text(UNJUDGED)
    with closing(Process("run", cwd=config.parent)) as daemon:
        daemon.says("the store has 2 entries")  # it leads, and has applied them
    (line,) = [line for line in daemon.lines if "entries.a.alert: is not judged" in line]
    assert " warning " in line


def test_check_and_add_warn_of_a_monitor_in_sentry_without_a_project(
    beatd: Beatd, config: Path
) -> None:
    config.write_text(
        'broker: {url: "memory://"}\nstore: {url: "sqlite:///beatd.db"}\n'
        "entries: {a: {task: t, every: 1h, monitor: {sentry: true}}}\n"
    )
    assert "entries.a.monitor.sentry: does nothing" in beatd("check", "-c", config).out
    words = ("b", "--task", "t", "--every", "1h", "--monitor", "sentry=true")
    added = beatd("add", *words, "-c", config)
    assert added.code == 0 and "--monitor: does nothing" in added.err


def test_a_flag_needs_no_value(beatd: Beatd, config: Path) -> None:
    add = ("add", "b", "--task", "t", "--every", "1h", "--trace", "--alert", "failed=3")
    assert beatd(*add, "-c", config).code == 0
    assert beatd("show", "b", "--json", "-c", config).json["trace"] is True  # type: ignore[call-overload,index]
    assert beatd("edit", "b", "--trace", "false", "-c", config).code == 0
    assert "trace" not in beatd("show", "b", "--json", "-c", config).json  # type: ignore[operator]


def test_alert_is_added_edited_shown_and_exported(beatd: Beatd, config: Path) -> None:
    words = ("--alert", "failed=3", "--alert", "missing=26h")
    assert beatd("add", "b", "--task", "t", "--every", "1h", *words, "-c", config).code == 0
    edit = ("edit", "b", "--alert", "late=90s", "--unset", "alert.missing", "-c", config)
    assert beatd(*edit).code == 0
    shown = beatd("show", "b", "--json", "-c", config).json
    assert isinstance(shown, dict) and shown["alert"] == {"failed": 3, "late": "1m30s"}
    assert 'late: "1m30s"' in beatd("export", "-c", config).out
    assert "like failed=3" in beatd("edit", "b", "--alert", "late", "-c", config).line
    wrong = beatd("edit", "b", "--alert", "lat=1m", "-c", config)
    assert wrong.code == 2 and "did you mean late?" in wrong.err


def test_without_alerts_nothing_opens_an_incident(beatd: Beatd, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(f"store: 'sqlite:///{tmp_path}/b.db'\nbroker: 'memory://'\n")
    beatd("add", "x", "--task", "t", "--every", "1h", "-c", config)
    hint = "nothing opens one, as the configuration has no alerts: docs/alerts.md"
    assert beatd("incidents", "-c", config).err == f"no open incidents; {hint}\n"
    config.write_text(config.read_text() + "alerts: {}\n")
    assert beatd("incidents", "-c", config).err == "no open incidents\n"
