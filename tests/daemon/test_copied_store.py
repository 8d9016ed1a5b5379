"""A daemon on a store that was copied to another one ends, whenever it notices."""

import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from beatd import Beat
from beatd.clock import SystemClock
from beatd.config import load_config
from beatd.errors import StoreCopied
from beatd.events import Event, LeadWon, Sent
from beatd.store import Store
from beatd.wiring.configured_store import configured_store
from tests.daemon.conftest import Start
from tests.process import PATIENCE
from tests.waiting import until

Config = Callable[..., Path]
NEW = "postgresql://beatd:***@new/beatd"
SAID = (
    r"this store was copied to postgresql://beatd:\*\*\*@new/beatd at \S+ \S+ UTC, and a daemon "
    "here would run each entry a second time; start beatd with .* or run `beatd store reopen`"
)


def opened(path: Path) -> Store:
    return configured_store(load_config(str(path)).config, if_absent="create")


def mark(path: Path, place: str = NEW) -> None:
    with closing(opened(path)) as store:
        store.marks.write_copied_to(place, SystemClock().now())


@pytest.fixture
def path(config: Config, places: dict[str, str]) -> Path:
    return config(**places)


DURABLE = ["shelve", "sqlite", "postgresql", "mariadb", "redis"]


@pytest.mark.parametrize("places", DURABLE, indirect=True)
def test_no_daemon_starts_on_a_copied_store_until_it_is_opened_again(path: Path) -> None:
    mark(path)
    told = list[Event]()
    with pytest.raises(StoreCopied, match=SAID):
        Beat(path, observers=(told.append,)).start()
    with closing(opened(path)) as store:
        assert store.term() is None, "it did not try to lead"
    mark(path, "")
    with Beat(path, observers=(told.append,)):
        until(lambda: any(isinstance(one, Sent) for one in told), PATIENCE, "it runs entries")


@pytest.mark.parametrize("places", DURABLE, indirect=True)
def test_a_standby_ends_when_it_would_begin_to_lead_a_copied_store(path: Path) -> None:
    told = list[Event]()
    leader, standby = Beat(path), Beat(path, observers=(told.append,))
    leader.start()
    until(leader.daemon.leading, PATIENCE, "the first one leads")
    standby.start()
    until(standby.daemon.ready, PATIENCE, "the other one stands by")
    with closing(opened(path)) as store:
        before = store.term()
    mark(path)
    assert leader.alive and standby.alive, "nothing is read while nobody begins to lead"
    leader.stop()
    until(lambda: not standby.alive, PATIENCE, "the standby ended")
    with pytest.raises(StoreCopied, match=SAID):
        standby.stop(PATIENCE)
    assert not any(isinstance(one, LeadWon) for one in told)
    with closing(opened(path)) as store:
        assert store.term() == before, "no term was begun"


def test_the_process_ends_as_for_a_wrong_configuration(beatd: Start, config: Config) -> None:
    path = config(timezone="Asia/Tokyo")
    mark(path)
    daemon = beatd("-c", str(path))
    assert " JST, and a daemon here" in daemon.says("this store was copied to")
    assert daemon.ends() == 2


def test_a_running_daemon_is_not_reloaded_onto_a_copied_store(
    beatd: Start, config: Config, tmp_path: Path
) -> None:
    path = config()
    daemon = beatd("-c", str(path))
    daemon.says("leading, term 1")
    config(store=f"{{url: 'sqlite:///{tmp_path}/old.db'}}")
    mark(path)
    daemon.send(signal.SIGHUP)
    assert "this store was copied to" in daemon.says("configuration not reloaded")
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0
