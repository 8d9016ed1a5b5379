"""beatd as a process: what it does when it starts, is told something, and ends."""

import json
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from beatd import __version__
from tests.daemon.conftest import Start
from tests.waiting import until

Config = Callable[..., Path]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


# starting


def test_it_leads_and_publishes(beatd: Start, config: Config, tmp_path: Path) -> None:
    daemon = beatd("-c", str(config()))
    daemon.says("leading, term 1")
    daemon.says("the store has 1 entry")
    daemon.says("published tick (t)")
    assert f"beatd {__version__} starts as " in daemon.lines[0]
    assert f"configuration {tmp_path}/config.yaml, no app, broker filesystem" in daemon.lines[0]
    assert f"store sqlite:///{tmp_path}/beatd.db, lock file:{tmp_path}" in daemon.lines[0]
    assert list((tmp_path / "queue").iterdir())


@pytest.mark.parametrize(("form", "hours"), [("text", 9), ("json", 0)])
def test_text_has_the_times_of_the_configured_zone(
    beatd: Start, config: Config, form: str, hours: int
) -> None:
    daemon = beatd("-c", str(config(timezone="Asia/Tokyo", log=f"{{format: {form}}}")))
    line = daemon.says("leading, term 1")
    time = json.loads(line)["at"] if form == "json" else line.split()[0]
    assert datetime.fromisoformat(time).utcoffset() == timedelta(hours=hours)


def test_it_starts_before_its_store_and_waits(beatd: Start, config: Config) -> None:
    port = free_port()
    url = f"{{url: 'redis://127.0.0.1:{port}/0'}}"
    daemon = beatd("-c", str(config(store=url)))
    assert f"127.0.0.1:{port}" in daemon.says("waiting for the store")
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0


def test_it_starts_before_its_broker_and_waits(beatd: Start, config: Config) -> None:
    daemon = beatd("-c", str(config(broker=f"{{url: 'redis://127.0.0.1:{free_port()}/0'}}")))
    daemon.says("waiting for the broker")
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("broker: [", "config.yaml:"),
        ("brocker: {url: x}", "did you mean"),
        ("timezone: Europe/Berln", "Europe/Berlin"),
    ],
)
def test_a_config_that_cannot_be_used_is_one_line_and_the_code_of_a_wrong_question(
    beatd: Start, tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "config.yaml").write_text(content)
    daemon = beatd("-c", "config.yaml")
    assert daemon.ends() in (1, 2)
    assert said in "\n".join(daemon.lines)
    assert "Traceback" not in "\n".join(daemon.lines)


def test_a_port_in_use_is_one_line(beatd: Start, config: Config) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        daemon = beatd("-c", str(config(http=f"{{bind: '{bind}'}}")))
        assert daemon.ends() == 1
    said = [line for line in daemon.lines if f"http.bind: cannot listen on {bind}" in line]
    assert said and "in use; each daemon on a host needs a port of its own" in said[0]
    assert "Traceback" not in "\n".join(daemon.lines)


# ending


def test_sigterm_ends_it_and_frees_the_lead(beatd: Start, config: Config) -> None:
    path = str(config())
    first = beatd("-c", path)
    first.says("published tick")
    second = beatd("-c", path)
    second.says("standing by")
    first.send(signal.SIGTERM)
    assert first.ends() == 0
    second.says("leading, term 2")


def test_a_killed_leader_is_replaced(beatd: Start, config: Config) -> None:
    path = str(config())
    first = beatd("-c", path)
    first.says("published tick")
    second = beatd("-c", path)
    second.says("standing by")
    first.send(signal.SIGKILL)
    second.says("published tick")


@pytest.mark.parametrize("edit", ["removed", "moved", "disabled"])
def test_an_entry_edited_while_no_daemon_ran_is_not_run_as_it_was(
    beatd: Start, config: Config, edit: str
) -> None:
    before = "{task: t, every: 0.2, args: [old]}"
    first = beatd("-c", str(config(entries=f"{{tick: {before}, other: {{task: t, every: 1h}}}}")))
    first.says("published tick")
    first.send(signal.SIGTERM)
    assert first.ends() == 0
    after = {
        "removed": "",
        "moved": "tick: {task: t, every: 2h}, ",
        "disabled": "tick: {task: t, every: 0.2, enabled: false}, ",
    }[edit]
    path = str(config(entries=f"{{{after}tock: {{task: t, every: 0.2}}}}"))
    second = beatd("-c", path)
    second.says("published tock")
    second.says("published tock")
    assert not [line for line in second.lines if "published tick" in line]


# being told something


def test_sighup_reads_the_configuration_again(beatd: Start, config: Config) -> None:
    daemon = beatd("-c", str(config()))
    daemon.says("published tick")
    config(entries="{tock: {task: t, every: 0.2}}", timezone="Asia/Tokyo")
    daemon.send(signal.SIGHUP)
    daemon.says("reloading")
    daemon.says("configuration reloaded")
    daemon.says("published tock")
    said = "\n".join(daemon.lines)
    assert "stopped" not in said and "no longer leading" not in said


def test_a_reload_of_an_invalid_file_changes_nothing(beatd: Start, config: Config) -> None:
    daemon = beatd("-c", str(config()))
    daemon.says("published tick")
    config(entries="{tock: {task: t, evry: 0.2}}")
    daemon.send(signal.SIGHUP)
    daemon.says("the old one stays")
    daemon.says("published tick")


def test_a_reload_that_breaks_leaves_it_as_it_was_and_hearing(
    beatd: Start, config: Config, tmp_path: Path
) -> None:
    daemon = beatd("-c", str(config()))
    daemon.says("published tick")
    (tmp_path / "file").touch()
    config(store=f"{{url: 'sqlite:///{tmp_path}/file/sub/beatd.db'}}")
    daemon.send(signal.SIGHUP)
    daemon.says("the old one stays")
    daemon.says("published tick")
    daemon.send(signal.SIGTERM)
    daemon.says("stopped")


def test_an_edited_file_is_applied_without_being_told(beatd: Start, config: Config) -> None:
    daemon = beatd("-c", str(config()))
    daemon.says("published tick")
    config(entries="{tock: {task: t, every: 0.2}}")
    daemon.says("published tock")


def test_sigusr1_logs_the_state(beatd: Start, config: Config) -> None:
    daemon = beatd("-c", str(config()))
    daemon.says("published tick")
    daemon.send(signal.SIGUSR1)
    line = daemon.says("state:")
    assert "leading yes, term 1, store ok yes, broker ok yes, lock ok yes, conflicts none" in line
    assert not set("=[]'") & set(line)


def test_sigusr1_logs_the_state_as_json_where_the_log_is(beatd: Start, config: Config) -> None:
    daemon = beatd("-c", str(config(log="{format: json}")))
    daemon.says("published tick")
    daemon.send(signal.SIGUSR1)
    state = json.loads(daemon.says("state:"))
    assert (state["leading"], state["term"], state["conflicts"]) == (True, 1, [])


def test_its_log_can_be_json(beatd: Start, config: Config) -> None:
    daemon = beatd("-c", str(config(log="{format: json}")))
    line = json.loads(daemon.says("published tick"))
    assert line["entry"] == "tick" and line["level"] == "info" and "task_id" in line
    daemon.send(signal.SIGHUP)
    daemon.says("configuration reloaded")
    daemon.says("leading, term 2")
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0
    lines = [json.loads(line) for line in daemon.lines]
    here = {"host": socket.gethostname(), "pid": daemon.process.pid}
    assert all(here.items() <= line.items() and "term" in line for line in lines)
    assert (lines[0]["event"], lines[0]["version"]) == ("Started", __version__)
    terms = [line["term"] for line in lines if line.get("event") in ("Started", "LeadWon", "Sent")]
    assert terms[:3] == [None, 1, 1] and terms[-1] == 2
    (tried,) = [line for line in lines if "changing over" in line["message"]]
    assert tried["term"] == 1


# being asked


def test_health_is_answered_from_the_beat(beatd: Start, config: Config) -> None:
    port = free_port()
    daemon = beatd("-c", str(config(http=f"{{bind: '127.0.0.1:{port}'}}")))
    daemon.says("published tick")
    assert get(port, "/live")[0] == 200
    assert get(port, "/ready") == (200, "leading\n")

    def is_counted() -> bool:  # just after it is logged
        code, page = get(port, "/metrics")
        return code == 200 and 'beatd_runs_total{reason="",state="published"}' in page

    until(is_counted, 20, "no run is counted")
    status = json.loads(get(port, "/status")[1])
    assert status["role"] == "leader" and status["store"]["ok"] and status["broker"]["ok"]
    assert get(port, "/nothing")[0] == 404


def test_it_is_not_ready_without_its_broker(beatd: Start, config: Config) -> None:
    port = free_port()
    broker = f"{{url: 'redis://127.0.0.1:{free_port()}/0'}}"
    daemon = beatd("-c", str(config(broker=broker, http=f"{{bind: '127.0.0.1:{port}'}}")))
    daemon.says("waiting for the broker")
    assert get(port, "/live")[0] == 200
    code, why = get(port, "/ready")
    assert code == 503 and why.startswith("waiting for the broker: redis://127.0.0.1:")


# systemd


def test_systemd_hears_ready_watchdog_reloading_and_stopping(
    beatd: Start, config: Config, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(20)
        daemon = beatd("-c", str(config()), env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        heard = ""

        def hears(word: str) -> None:
            nonlocal heard
            while word not in heard:
                heard += notify.recv(4096).decode() + "\n"
            heard = heard.split(word, 1)[1]

        hears("READY=1")
        hears("STATUS=leading")
        hears("WATCHDOG=1")
        daemon.send(signal.SIGHUP)
        hears("RELOADING=1\nMONOTONIC_USEC=")
        hears("READY=1")
        daemon.send(signal.SIGTERM)
        hears("STOPPING=1")
        assert daemon.ends() == 0


def test_a_standby_with_other_files_says_so(beatd: Start, config: Config, tmp_path: Path) -> None:
    port = free_port()
    leader = beatd("-c", str(config()))
    leader.says("published tick")
    text = (tmp_path / "config.yaml").read_text() + f"http: {{bind: '127.0.0.1:{port}'}}\n"
    (tmp_path / "other.yaml").write_text(text.replace("tick:", "tock:"))
    standby = beatd("-c", "other.yaml")
    standby.says("standing by")

    def told() -> bool:
        """Beside it may stand what the leader wrote at the start of its term, a second ago."""
        conflicts = json.loads(get(port, "/status")[1])["conflicts"]
        return any("differs from what the leader" in line for line in conflicts)

    until(told, 20, "the difference is not told")


def test_a_store_deleted_under_a_daemon_is_told_and_filled_again(
    beatd: Start, config: Config, tmp_path: Path
) -> None:
    daemon = beatd("-c", str(config()))
    daemon.says("published tick")
    for path in tmp_path.glob("beatd.db*"):
        path.unlink()
    assert "deleted or replaced" in daemon.says("waiting for the store")
    daemon.says("applied: 1 added")
    daemon.says("published tick")
