"""beatd inside another program."""

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from beatd import Beat
from beatd.config import load_config
from beatd.errors import BeatError, StoreUnusable, UnknownEntry
from beatd.events import Event, LeadWon, Sent
from tests.process import PATIENCE
from tests.waiting import until

Config = Callable[..., Path]
PAGE = Path(__file__).parents[1] / "docs" / "embedding.md"


class Ear:
    def __init__(self) -> None:
        self.sent, self.leads = threading.Event(), threading.Event()
        self.task_ids: list[str] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, LeadWon):
            self.leads.set()
        if isinstance(event, Sent):
            self.task_ids += [one.run.task_id for one in event.results]
            self.sent.set()


def threads_of_beats() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "beatd beat"]


def port_of_nobody() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_it_beats_while_the_block_lasts(config: Config) -> None:
    ear = Ear()
    with Beat(config(), observers=(ear,)) as beat:
        assert ear.sent.wait(PATIENCE)
        assert beat.daemon.leading() and beat.alive
        status = beat.status()
        assert (status["alive"], status["role"], status["entries"]) == (True, "leader", 1)
        ends = time.monotonic()
    assert time.monotonic() - ends < 1
    assert not beat.daemon.leading() and not beat.alive
    status = beat.status()
    assert (status["alive"], status["role"]) == (False, None)
    assert status["store"] == {"ok": False, "error": "the beat does not run"}
    assert not threads_of_beats()


def test_it_announces_settings_that_changed_since_its_start_but_never_http(config: Config) -> None:
    used = load_config(config()).config
    config(log="{level: debug}", http="{bind: '127.0.0.1:9753'}")
    with Beat(used) as beat:
        until(lambda: beat.daemon.presence().needs_reload != (), PATIENCE, "it has read the file")
        assert beat.daemon.presence().needs_reload == ("log",)


def test_an_entry_is_triggered(config: Config) -> None:
    ear = Ear()
    with Beat(config(entries="{yearly: {task: t, cron: '0 0 1 1 *'}}"), observers=(ear,)) as beat:
        until(lambda: beat.status()["entries"] == 1, PATIENCE, "no entry is applied")
        with pytest.raises(UnknownEntry, match="nosuch"):
            beat.trigger("nosuch")
        task_id = beat.trigger("yearly")
        assert ear.sent.wait(PATIENCE)
    assert ear.task_ids == [task_id]
    with pytest.raises(BeatError, match="the beat does not run"):
        beat.trigger("yearly")


def test_the_program_of_the_page_runs(
    config: Config,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config()
    monkeypatch.chdir(tmp_path)
    exec(PAGE.read_text().partition("```python\n")[2].partition("```")[0], {})
    assert capsys.readouterr().out == "True True\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("brocker: {}", "did you mean"),
        ("broker: [", "config.yaml:"),
        ("broker: memory://\ntimezone: Mars", "'Mars' is not a time zone"),
        ("broker: memory://\nstore: oracle://db", "oracle"),
        ("app: nosuch.module", "'nosuch.module' cannot be loaded"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_raised_before_the_block(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(BeatError, match=said), Beat(tmp_path / "config.yaml"):
        pytest.fail("the block runs")


def test_a_store_that_cannot_be_used_is_raised_before_the_block(config: Config) -> None:
    path = config(store="{url: 'sqlite:////nowhere/beatd.db'}")
    with pytest.raises(StoreUnusable, match="nowhere"), Beat(path):
        pytest.fail("the block runs")
    assert not threads_of_beats()


def test_a_broker_that_is_away_is_in_the_status_and_no_failure(config: Config) -> None:
    url = f"redis://127.0.0.1:{port_of_nobody()}/0"
    with Beat(config(broker=f"{{url: '{url}'}}")) as beat:
        until(lambda: beat.status()["broker"]["ok"] is False, PATIENCE, "the broker is there")
        assert "refused" in beat.status()["broker"]["error"]
        assert beat.alive and beat.status()["store"]["ok"]
        ends = time.monotonic()
    assert time.monotonic() - ends < 1
    assert not threads_of_beats()


def test_a_store_that_is_away_is_in_the_status_and_no_failure(config: Config) -> None:
    port = port_of_nobody()
    with Beat(config(store=f"{{url: 'redis://127.0.0.1:{port}/0'}}")) as beat:
        assert beat.alive
        assert str(port) in beat.status()["store"]["error"]
        with pytest.raises(BeatError, match=f"nothing was triggered: .*{port}"):
            beat.trigger("tick")
        ends = time.monotonic()
    assert time.monotonic() - ends < 1
    assert not threads_of_beats()


def breaks(beat: Beat, monkeypatch: pytest.MonkeyPatch) -> None:
    """End the thread of this beat by a bug, and wait until it has ended."""
    monkeypatch.setattr(beat.daemon, "turn", lambda: 1 / 0)
    beat.daemon.wake()
    until(lambda: not beat.alive, PATIENCE, "the beat goes on")


def test_what_ends_the_beat_later_is_raised_at_the_end_of_the_block(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ZeroDivisionError), Beat(config()) as beat:
        breaks(beat, monkeypatch)
        assert beat.status()["store"]["error"] == "the beat ended: division by zero"
    with pytest.raises(BeatError, match="started before"):
        beat.start()


def test_an_error_of_the_block_is_not_replaced(
    config: Config, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(KeyError), Beat(config()) as beat:
        breaks(beat, monkeypatch)
        raise KeyError
    assert "the beat ended: division by zero" in caplog.messages
