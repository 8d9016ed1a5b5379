"""One-offs in files whose moment passes before their file is read."""

from datetime import datetime, timedelta

import pytest

from beatd.definition import codec
from beatd.edits import editing
from beatd.stores.embedded.memory import MemoryStore
from tests.sources.declaring import Daemon


def due(store: MemoryStore) -> datetime | None:
    return editing.row_of(store, "once").plan.due


def past(store: MemoryStore) -> list[str]:
    return [record.reason for record in store.history("once", None)]


def test_a_one_off_counts_from_when_its_file_was_written(
    daemon: Daemon, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    daemon.look(store)
    now = daemon.clock.now()
    daemon.clock.advance(seconds=0.5)
    daemon.declare_once(now + timedelta(seconds=0.4), written=now + timedelta(seconds=0.3))
    daemon.look(store)
    assert due(store) == now + timedelta(seconds=0.4)

    late = daemon.clock.now()
    daemon.clock.advance(seconds=0.5)
    daemon.declare_once(late + timedelta(seconds=0.2), written=late + timedelta(seconds=0.3))
    daemon.look(store)
    assert due(store) is None
    assert "past when edited" in past(store)
    assert "1 one-off was past when it was first seen and will not run" in caplog.text


def test_a_copied_file_that_keeps_an_old_time_fires_no_past_moment(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.look(store)
    now = daemon.clock.now()
    hour = timedelta(hours=1)
    daemon.declare_once(now - hour, written=now - 2 * hour)
    daemon.look(store)
    assert (due(store), past(store)) == (None, ["past when added"])


def test_a_one_off_written_while_no_daemon_ran_is_late(daemon: Daemon, store: MemoryStore) -> None:
    daemon.look(store)
    daemon.clock.advance(seconds=3600)
    now = daemon.clock.now()
    daemon.declare_once(now - timedelta(seconds=60), written=now - timedelta(seconds=90))
    daemon.start().look(store)
    assert due(store) == now - timedelta(seconds=60)


def test_a_one_off_that_ran_does_not_come_back_with_its_file(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.look(store)
    now = daemon.clock.now()
    daemon.declare_once(now + timedelta(seconds=60), written=now)
    daemon.look(store)
    daemon.clock.advance(seconds=3600)
    # By hand, from an entry that a file declares: it is declared anew at once.
    editing.remove(store, ["once"], force=True)
    daemon.look(store)
    assert due(store) is None
    empty = MemoryStore(codec=codec, clock=daemon.clock)
    daemon.look(empty)
    assert due(empty) is None
    wiped = MemoryStore(codec=codec, clock=daemon.clock)
    daemon.start().look(wiped)
    assert due(wiped) is None


def test_what_a_standby_read_counts_from_its_edit_when_it_leads(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.look(store)
    daemon.start()
    daemon.look(store, leading=False)
    now = daemon.clock.now()
    daemon.declare_once(now + timedelta(seconds=5), written=now)
    daemon.look(store, leading=False)
    daemon.declare("b", "c")
    daemon.clock.advance(seconds=10)
    daemon.look(store)
    assert due(store) == now + timedelta(seconds=5)
