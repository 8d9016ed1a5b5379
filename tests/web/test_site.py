"""What handlers get: one store of the web server's own, and the daemon's if it is in memory."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from beatd.clock import StoreTime
from beatd.definition import codec
from beatd.errors import StoreError
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock
from tests.process import PATIENCE
from tests.web.site import no_store, site_with

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Counted(MemoryStore):
    """A store that counts how often it is closed, and has a clock of its own."""

    def __init__(self) -> None:
        super().__init__(codec=codec, clock=FakeClock())
        self.closed = 0

    def close(self) -> None:
        self.closed += 1

    def now(self) -> StoreTime:  # type: ignore[override]
        return StoreTime(NOON, "here")


def test_threads_share_one_store_that_the_first_call_opens() -> None:
    made: list[Counted] = []
    second_waits = Event()

    def slow() -> Roles:
        second_waits.wait(PATIENCE)
        made.append(Counted())
        return Roles.of(made[-1])

    site = site_with(slow)
    assert not made
    with ThreadPoolExecutor(4) as threads:
        found = [threads.submit(site.open_store) for _ in range(4)]
        second_waits.set()
        assert len({id(one.result()) for one in found}) == 1
    site.close()
    assert [one.closed for one in made] == [1]
    with pytest.raises(StoreError):
        site.open_store()
    site.close()
    assert made[0].closed == 1


def test_a_store_that_was_away_is_opened_later() -> None:
    answers = iter([no_store, lambda: Roles.of(Counted())])
    site = site_with(lambda: next(answers)())
    with pytest.raises(StoreError):
        site.open_store()
    assert site.open_store() is site.open_store()


def test_a_store_that_hangs_does_not_hold_up_the_end() -> None:
    answers, closed = Event(), Event()

    class Hangs(Counted):
        def close(self) -> None:
            assert answers.wait(PATIENCE)
            closed.set()

    site = site_with(lambda: Roles.of(Hangs()))
    site.open_store()
    site.close()
    assert not closed.is_set()
    answers.set()
    assert closed.wait(PATIENCE)


def test_a_store_that_is_being_opened_does_not_hold_up_the_end() -> None:
    answers, opens = Event(), Event()
    made: list[Counted] = []

    def hanging() -> Roles:
        opens.set()
        assert answers.wait(PATIENCE)
        made.append(Counted())
        return Roles.of(made[-1])

    site = site_with(hanging)
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(site.open_store)
        assert opens.wait(PATIENCE)
        site.close()
        assert not made
        answers.set()
        waits.result(PATIENCE)


def test_the_daemons_own_store_is_left_open() -> None:
    store = Counted()
    roles = Roles.of(store)
    site = site_with(lambda: roles, shares_store=True)
    assert site.open_store() is roles
    site.close()
    assert store.closed == 0


def test_now_is_the_time_of_the_store() -> None:
    assert site_with(lambda: Roles.of(Counted())).now() == NOON


def test_no_test_of_the_pages_reads_the_real_clock() -> None:
    """The demo's entries would be due in some runs of the tests, and not in others."""
    here = Path(__file__)
    to_look_at = here.with_name("serve_demo.py")
    files = {*here.parent.rglob("*.py"), *here.parents[1].joinpath("browser").rglob("*.py")}
    for file in files - {here, to_look_at}:
        text = file.read_text("utf-8")
        assert "SystemClock" not in text, file
        assert "datetime.now(" not in text, file
