"""Alerts of real daemons."""

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beatd import Beat
from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.events import Event, IncidentsCounted
from beatd.outcome import Delivery, OutcomeState
from beatd.store import Store
from beatd.wiring.backends import open_store
from tests.daemon.conftest import Start
from tests.notifiers.receivers import receiver
from tests.process import PATIENCE
from tests.waiting import until

Config = Callable[..., Path]
HANG_S = 60.0  # what a hanging receiver waits


def hanging(number: int) -> int:
    return 0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'beatd.db'}", codec=codec, clock=SystemClock())
    yield store
    store.close()


def runs_end(store: Store, state: OutcomeState, number: int) -> None:
    """One more run of the entry `nightly` ends, as a worker would report."""
    now = SystemClock().now()
    store.write_outcomes(
        [
            Delivery(
                task_id=f"id-{number}", delivery="1", name="nightly", planned=now, state=state,
                at=now, started=now, finished=now,
            )
        ],
        now,
    )  # fmt: skip


def test_three_failures_are_one_message_though_the_leader_is_killed_and_recovery_is_one(
    beatd: Start, config: Config, store: Store
) -> None:
    with receiver() as hook:
        path = config(
            alerts=f"{{to: ['{hook.url}'], wait: 1s}}",
            entries="{nightly: {task: t, every: 1d, alert: {failed: 3}}}",
            lock="{ttl: 500ms}",
        )
        first = beatd("-c", str(path))
        first.says("leading")
        second = beatd("-c", str(path))
        second.says("standing by")
        for number in range(3):
            runs_end(store, "failed", number)
        first.says("incident opened: failed of nightly: 3 failures in a row")
        first.send(signal.SIGKILL)
        second.says("leading")
        second.says("'beatd: nightly failing' was sent to http://127.0.0.1")
        runs_end(store, "succeeded", 3)
        second.says("incident closed: failed of nightly")
        second.says("'beatd: over: nightly failing' was sent")
        second.send(signal.SIGTERM)
        assert second.ends() == 0, second.lines
        said = [(one.json["type"], one.json["kind"]) for one in hook.received]
        assert said == [("opened", "failed"), ("resolved", "failed")]


def test_receivers_that_hang_hold_up_no_run_and_not_the_end(
    beatd: Start, config: Config, tmp_path: Path
) -> None:
    with receiver(hanging) as hook, receiver(hanging) as monitor:
        path = config(
            alerts=f"{{to: ['{hook.url}'], wait: 100ms, heartbeat: '{monitor.url}'}}",
            entries="{tick: {task: t, every: 0.2}}",
            schedules="[wrong.yaml]",
        )
        (tmp_path / "wrong.yaml").write_text("entries: {a: {task: t, every: 5x}}")
        daemon = beatd("-c", str(path))
        until(lambda: hook.received and monitor.received, PATIENCE, "both were requested")
        assert hook.received[0].json["kind"] == "invalid source"
        daemon.says("published tick")
        daemon.send(signal.SIGTERM)
        assert daemon.ends(timeout=HANG_S / 2) == 0


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_without_the_section_no_thread_runs_and_with_it_incidents_are_counted(
    config: Config, tmp_path: Path
) -> None:
    heard: list[Event] = []
    with Beat(config()) as beat:
        until(beat.daemon.leading, PATIENCE, "it leads")
        assert not threads() & {"beatd alerts", "beatd heartbeat"}
    (tmp_path / "wrong.yaml").write_text("entries: {a: {task: t, every: 5x}}")
    path = config(alerts="{wait: 100ms}", schedules="[wrong.yaml]")
    with Beat(path, observers=(heard.append,)) as beat:
        until(lambda: IncidentsCounted({"invalid source": 1}) in heard, PATIENCE, "it is counted")
        assert "beatd alerts" in threads() and "beatd heartbeat" not in threads()
