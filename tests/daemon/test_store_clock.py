"""The clock that the store sets: tables of replies, and how far it is behind the store's after."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import floor

import pytest

from beatd.clock import StoreTime, SystemClock
from beatd.daemon.store_clock import REQUESTS_MAX, StoreClock
from beatd.errors import StoreError

BEGUN = datetime(2026, 3, 1, tzinfo=UTC)
BOOTED = 10**7  # seconds ago: floats are coarse so far from zero

Trips = Sequence[tuple[float, float]]  # milliseconds there, and back


class Hands(SystemClock):
    """The clock as it is, but that the test moves `elapsed`."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def elapsed(self) -> float:
        return BOOTED + self.seconds


class FarStore:
    """A store whose replies take as long as the test says, the last trip again and again."""

    def __init__(self, hands: Hands, trips: Trips) -> None:
        self._hands, self._trips = hands, list(trips)
        self.offset, self.rate, self.server = timedelta(), 1.0, "one"
        self.asked = 0

    def time(self) -> datetime:
        micros = floor(self._hands.seconds * self.rate * 1e6)
        return BEGUN + timedelta(microseconds=micros) + self.offset

    def trips(self, *trips: tuple[float, float]) -> None:
        self._trips = list(trips)

    def now(self) -> StoreTime | None:
        self.asked += 1
        there, back = self._trips.pop(0) if len(self._trips) > 1 else self._trips[0]
        self._hands.seconds += there / 1000
        told = StoreTime(self.time(), self.server)
        self._hands.seconds += back / 1000
        return told


def steered(*trips: tuple[float, float]) -> tuple[Hands, FarStore, StoreClock]:
    hands = Hands()
    store, store_clock = FarStore(hands, trips), StoreClock(hands)
    store_clock.set_from(store)  # type: ignore[arg-type]
    return hands, store, store_clock


def behind(hands: Hands, store: FarStore) -> float:
    """Milliseconds; less than nothing would be early."""
    return round((store.time() - hands.now()) / timedelta(milliseconds=1), 3)


# milliseconds there and back of each reply, the last one for all that follow; behind by, questions
REPLIES: dict[str, tuple[Trips, float, int]] = {
    "quick ones": ([(0.1, 0.1)], 0.1, 3),
    "quick ones, the first after a rest the slowest": (
        [(0.2, 0.4), (0.1, 0.3), (0.1, 0.1)],
        0.1,
        3,
    ),
    "a slow way there costs nothing": ([(50, 0.1)], 0.1, 2),
    "a slow way back": ([(0.1, 50), (0.1, 0.1)], 0.1, 3),
    "slow both ways, as over a new connection": ([(16, 16), (0.1, 0.1)], 0.1, 3),
    "slow for ever": ([(50, 50)], 50.0, 2),
    "slow back for ever": ([(0.1, 90)], 90.0, 2),
    "quicker each time": (
        [(0, 60), (0, 40), (0, 20), (0, 9), (0, 5), (0, 1)],
        5.0,
        REQUESTS_MAX,
    ),
    "the quickest is kept": ([(0.1, 20), (0.1, 0.1), (0.1, 3)], 0.1, 3),
}


@pytest.mark.parametrize("trips, late, asked", REPLIES.values(), ids=REPLIES)
def test_the_clock_is_behind_the_stores_by_its_quickest_way_back(
    trips: Trips, late: float, asked: int
) -> None:
    hands, store, store_clock = steered(*trips)
    # A bound that is kept grows older by two ten-thousandths.
    assert 0 <= late - 0.002 <= behind(hands, store) <= late + 0.02
    assert store.asked == asked
    assert store_clock.is_set


@pytest.mark.parametrize("seconds_ago, is_asked", [(0.5, False), (1.9, False), (2.1, True)])
def test_a_clock_that_was_read_lately_is_not_read_again(seconds_ago: float, is_asked: bool) -> None:
    hands, store, store_clock = steered((0.0, 0.0))
    store.asked = 0
    hands.seconds += seconds_ago
    store.offset = timedelta(seconds=-30)
    store_clock.set_if_older(store, 2.0)  # type: ignore[arg-type]
    assert (store.asked > 0) is is_asked
    assert (behind(hands, store) >= 0) is is_asked


def test_a_clock_that_was_never_read_is_read() -> None:
    hands = Hands()
    store, store_clock = FarStore(hands, [(0.1, 0.1)]), StoreClock(hands)
    store_clock.set_if_older(store, 2.0)  # type: ignore[arg-type]
    assert store_clock.is_set and 0 <= behind(hands, store) < 1


def test_a_slow_reply_does_not_set_the_clock_back() -> None:
    hands, store, store_clock = steered((0.1, 0.1))
    hands.seconds += 1
    store.trips((0.1, 4))
    store_clock.set_from(store)  # type: ignore[arg-type]
    assert 0 < behind(hands, store) < 0.4


def test_a_clock_that_loses_as_much_as_two_may_is_not_overtaken() -> None:
    hands, store, store_clock = steered((0.0, 0.0))
    store.rate = 1 - 0.00019
    store.trips((30, 30))
    for _ in range(100):
        hands.seconds += 0.5
        assert behind(hands, store) >= 0
        store_clock.set_from(store)  # type: ignore[arg-type]
        assert behind(hands, store) >= 0


def test_a_clock_that_gains_is_followed() -> None:
    hands, store, store_clock = steered((0.1, 0.1))
    store.rate = 1.0002
    for _ in range(100):
        hands.seconds += 0.5
        store_clock.set_from(store)  # type: ignore[arg-type]
        assert 0 <= behind(hands, store) < 0.2


# by how many milliseconds the store's clock is set, and how long the next replies take
STEPS: dict[str, tuple[float, Trips, float]] = {
    "ahead": (3_600_000, [(0.1, 0.1)], 0.1),
    "ahead by little": (2, [(0.1, 0.1)], 0.1),
    "ahead, and the first reply is slow": (2000, [(20, 20), (0.1, 0.1)], 0.1),
    "back": (-3_600_000, [(0.1, 0.1)], 0.1),
    "back by little": (-2, [(0.1, 0.1)], 0.1),
    "back, and the first reply is slow": (-2000, [(20, 20), (0.1, 0.1)], 0.1),
    "back by less than a slow reply hides": (-10, [(20, 20), (0.1, 0.1)], 0.1),
}


@pytest.mark.parametrize("by, trips, late", STEPS.values(), ids=STEPS)
def test_a_clock_that_was_set_is_followed_at_once(by: float, trips: Trips, late: float) -> None:
    hands, store, store_clock = steered((0.1, 0.1))
    hands.seconds += 0.5
    store.offset += timedelta(milliseconds=by)
    store.trips(*trips)
    store_clock.set_from(store)  # type: ignore[arg-type]
    assert 0 <= behind(hands, store) < late + 0.11


def test_no_reply_of_another_server_is_counted_on() -> None:
    hands, store, store_clock = steered((0.1, 0.1))
    store.server, store.offset = "two", timedelta(milliseconds=-3)
    store.trips((4, 4))  # it hides the difference
    store_clock.set_from(store)  # type: ignore[arg-type]
    assert behind(hands, store) >= 0


def test_a_reply_that_another_thread_overtook_changes_nothing() -> None:
    hands, store, store_clock = steered((0.1, 0.1))

    class Overtaken(FarStore):
        def now(self) -> StoreTime | None:
            told = super().now()
            store.offset, store.server = timedelta(seconds=-5), "two"
            store_clock.set_from(store)  # type: ignore[arg-type]
            return told

    store_clock.set_from(Overtaken(hands, [(0.1, 0.1)]))  # type: ignore[arg-type]
    assert 0 <= behind(hands, store) < 0.2


def test_the_clock_runs_on_while_the_store_does_not_answer() -> None:
    class Away(FarStore):
        def now(self) -> StoreTime | None:
            raise StoreError("connection refused")

    hands, store, store_clock = steered((0.1, 0.1))
    hands.seconds += 10
    with pytest.raises(StoreError):
        store_clock.set_from(Away(hands, [(0, 0)]))  # type: ignore[arg-type]
    assert 0 <= behind(hands, store) < 2.5


def test_nothing_is_sure_before_the_store_has_answered() -> None:
    assert not StoreClock(Hands()).is_set


def test_where_the_store_has_no_clock_the_hosts_is_believed() -> None:
    class WithoutClock(FarStore):
        def now(self) -> None:
            return None

    hands = Hands()
    store_clock = StoreClock(hands)
    store_clock.set_from(WithoutClock(hands, [(0, 0)]))  # type: ignore[arg-type]
    assert store_clock.is_set
    assert store_clock.offset_s == 0
    before = datetime.now(UTC)
    assert before <= hands.now() <= datetime.now(UTC)


def test_no_moment_is_rounded_up() -> None:
    hands, store, _ = steered((0.0, 0.0))
    for _ in range(1000):
        hands.seconds += 0.000_000_9
        assert store.time() >= hands.now()
