"""beatd inside another program."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from beatd import Beat
from beatd.errors import BeatError
from beatd.events import Event, Sent
from tests.process import PATIENCE

Config = Callable[..., Path]


class Ear:
    def __init__(self) -> None:
        self.sent = threading.Event()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Sent):
            self.sent.set()


def test_it_beats_while_the_block_lasts(config: Config, tmp_path: Path) -> None:
    ear = Ear()
    broker = (
        f"{{url: 'filesystem://', transport_options: {{data_folder_in: '{tmp_path}/queue',"
        f" data_folder_out: '{tmp_path}/queue', control_folder: '{tmp_path}/control'}}}}"
    )
    with Beat(config(broker=broker), observers=(ear,)) as beat:
        assert ear.sent.wait(PATIENCE)
        assert beat.daemon.leading()
    assert not beat.daemon.leading()
    assert not [thread for thread in threading.enumerate() if thread.name == "beatd beat"]


def test_what_cannot_be_used_is_raised_where_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("brocker: {}")
    with pytest.raises(BeatError, match="did you mean"):
        Beat(tmp_path / "config.yaml")


def test_what_ends_the_beat_is_raised_at_the_end_of_the_block(config: Config) -> None:
    path = config(store="{url: 'sqlite:///nowhere/beatd.db'}")
    beat = Beat(path).start()
    beat._thread.join(PATIENCE)
    with pytest.raises(BeatError, match="nowhere"):
        beat.stop()
