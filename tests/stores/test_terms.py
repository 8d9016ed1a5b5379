"""The contract of Terms, kept by every store."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

from beatd.clock import StoreTime
from beatd.leader import Holder
from beatd.store import Store
from tests.simulation.server_clock import ServerClock
from tests.simulation.world import Host, Process, World
from tests.stores.making import NOON, holder


def test_there_is_no_term_before_the_first(store: Store) -> None:
    assert store.term() is None


def test_the_first_term_is_told_with_its_holder(store: Store) -> None:
    me = holder()
    term = store.begin(me)
    assert term.number == 1
    assert term.token
    assert store.term() == (term, me)


def test_each_term_is_one_higher_and_has_a_token_of_its_own(store: Store) -> None:
    terms = [store.begin(holder(name)) for name in ("one", "two", "one")]
    assert [term.number for term in terms] == [1, 2, 3]
    assert len({term.token for term in terms}) == 3


def test_only_the_newest_term_is_told(store: Store) -> None:
    store.begin(holder("old"))
    me = holder("new")
    term = store.begin(me)
    assert store.term() == (term, me)


def test_a_holder_is_told_as_it_was_named(store: Store) -> None:
    me = Holder("bée 🐝 'x'", "höst", 2**22, NOON + timedelta(microseconds=1), "token")
    store.begin(me)
    found = store.term()
    assert found is not None
    assert found[1] == me


def test_racing_daemons_get_terms_that_differ(store: Store, reopen: Callable[[], Store]) -> None:
    handles = [store, reopen(), reopen(), reopen()]

    def begin(handle: Store) -> list[int]:
        return [handle.begin(holder(str(handles.index(handle)))).number for _ in range(5)]

    with ThreadPoolExecutor(len(handles)) as threads:
        numbers = [number for some in threads.map(begin, handles) for number in some]
    assert sorted(numbers) == list(range(1, 21))


def test_another_handle_goes_on_with_the_numbers(store: Store, reopen: Callable[[], Store]) -> None:
    store.begin(holder("one"))
    other = reopen()
    assert other.term() == store.term()
    assert other.begin(holder("two")).number == 2
    assert store.term() == other.term()


def test_the_clock_of_a_store_is_aware_and_about_right(store: Store) -> None:
    told = store.now()
    if told is not None:
        assert told.moment.utcoffset() == timedelta(0)
        assert abs(told.moment - datetime.now(UTC)) < timedelta(minutes=5)


def shows_the_time_of_each_call(
    told: Callable[[], StoreTime | None], host_now: Callable[[], datetime]
) -> None:
    """The clock never goes back, and shows a moment between the request and the reply."""
    times, slack = list[StoreTime](), timedelta(milliseconds=1)  # the host's clock is slewed
    for _ in range(20):
        asked_at = host_now()
        time, replied_at = told(), host_now()
        if time is None:
            return
        assert asked_at - slack <= time.moment <= replied_at + slack
        times.append(time)
    moments = [time.moment for time in times]
    assert moments == sorted(moments)
    assert len({time.server for time in times}) == 1


def test_the_clock_of_a_store_shows_the_time_of_the_call(store: Store) -> None:
    shows_the_time_of_each_call(store.now, lambda: datetime.now(UTC))


def test_the_clock_of_the_simulated_server_shows_the_time_of_the_call() -> None:
    world = World()
    clock = ServerClock(world)

    def take_turns() -> None:
        def told() -> StoreTime:
            world.sleep(0.1)
            return clock.told()

        shows_the_time_of_each_call(told, world.now)
        before = clock.told()
        clock.fail_over(seconds=-5)
        assert clock.told().server != before.server and clock.told().moment < before.moment

    world.spawn(Process("a.1", Host("a")), take_turns)
    world.run(10.0)


def test_a_store_has_one_namespace_for_ever(store: Store, reopen: Callable[[], Store]) -> None:
    assert isinstance(store.namespace, UUID)
    assert reopen().namespace == store.namespace == store.namespace
