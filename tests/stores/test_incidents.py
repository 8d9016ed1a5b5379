"""The contract of Incidents, kept by every store."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msgspec.structs import replace

from beatd.incident import INCIDENTS_PER_WRITE, Incident
from beatd.store import Store
from tests.stores.making import at

Reopen = Callable[[], Store]


def incident(opened: float = 0, name: str = "tidy", kind: Any = "failed", **more: Any) -> Incident:
    return Incident(**{"kind": kind, "name": name, "opened": at(opened), "revision": 1, **more})


def put(store: Store, one: Incident) -> Incident:
    assert store.put_incidents([one]) == [True]
    return one


def changed(store: Store, one: Incident, **more: Any) -> Incident:
    return put(store, replace(one, revision=one.revision + 1, **more))


def closed(store: Store, one: Incident, when: float) -> Incident:
    return changed(store, one, closed=at(when), resolved=at(when))


def test_there_is_none_at_first(store: Store) -> None:
    assert store.open_incidents() == []
    assert list(store.incidents(None, None)) == []
    assert store.forget_incidents(at(1000)) == 0


def test_what_is_written_is_read_again(store: Store, reopen: Reopen) -> None:
    full = incident(
        observed="3 failures in a row, 'ä' 🐝 \\ \"",
        threshold="failed: 3",
        cause="raised",
        announced=at(31.000001),
        leased_until=at(40),
        flaps=2,
    )
    put(store, full)
    for handle in (store, reopen()):
        assert handle.open_incidents() == [full]
        assert list(handle.incidents("tidy", None)) == [full]


def test_an_incident_of_the_whole_has_no_name(store: Store) -> None:
    one = put(store, incident(name="", kind="broker away"))
    assert store.open_incidents() == [one]
    assert list(store.incidents("tidy", None)) == []


def test_only_one_of_an_entry_and_kind_is_open(store: Store) -> None:
    one = put(store, incident(0))
    assert store.put_incidents([incident(1)]) == [False]
    assert store.put_incidents([one]) == [False]
    others = [put(store, incident(1, kind="late")), put(store, incident(2, "other"))]
    assert store.open_incidents() == [one, *others]


def test_after_it_was_closed_another_may_open(store: Store) -> None:
    first = closed(store, put(store, incident(0)), 5)
    second = put(store, incident(6))
    assert store.open_incidents() == [second]
    assert list(store.incidents("tidy", None)) == [second, first]
    assert store.put_incidents([incident(0)]) == [False]


def test_a_change_is_written_only_to_the_revision_before(store: Store) -> None:
    one = put(store, incident(0))
    for revision in (0, 1, 3):
        assert store.put_incidents([replace(one, revision=revision, cause="no")]) == [False]
    for other in (incident(1), incident(0, "other"), incident(0, kind="late")):
        assert store.put_incidents([replace(other, revision=2)]) == [False]
    two = changed(store, one, cause="yes")
    assert store.open_incidents() == [two]
    assert store.put_incidents([two]) == [False]
    changed(store, two, cause="")
    assert store.open_incidents()[0].cause == ""


def test_many_are_written_each_by_itself(store: Store) -> None:
    count = INCIDENTS_PER_WRITE + 10
    before = [incident(0, f"entry-{n}") for n in range(count)]
    assert store.put_incidents(before[::2]) == [True] * len(before[::2])
    assert store.put_incidents(before) == [n % 2 == 1 for n in range(count)]
    changed = [replace(one, revision=n % 4, cause="new") for n, one in enumerate(before)]
    assert store.put_incidents(changed) == [n % 4 == 2 for n in range(count)]
    found = store.open_incidents()
    assert len(found) == count
    assert {one.name for one in found if one.cause} == {f"entry-{n}" for n in range(2, count, 4)}
    assert store.put_incidents([]) == []


def test_one_may_open_and_close_and_open_again_in_one_call(store: Store) -> None:
    one = incident(0)
    over = replace(one, revision=2, closed=at(5))
    again = incident(6)
    assert store.put_incidents([one, over, one, again, over]) == [True, True, False, True, False]
    assert store.open_incidents() == [over, again]


def test_a_closed_incident_is_open_until_its_end_was_announced(store: Store) -> None:
    one = changed(store, put(store, incident(0)), closed=at(5))
    assert store.open_incidents() == [one]
    put(store, incident(6))
    two = changed(store, one, resolved=at(7))
    assert [found.opened for found in store.open_incidents()] == [at(6)]
    assert list(store.incidents(None, None))[1] == two


def test_open_incidents_come_oldest_first(store: Store) -> None:
    for opened, name in ((5, "b"), (1, "c"), (3, "a")):
        put(store, incident(opened, name))
    assert [found.opened for found in store.open_incidents()] == [at(1), at(3), at(5)]


def test_the_last_opened_comes_first(store: Store) -> None:
    for n in range(5):
        closed(store, put(store, incident(10 * n)), 10 * n + 5)
    put(store, incident(25, "other"))
    assert [found.opened for found in store.incidents(None, 4)] == [at(40), at(30), at(25), at(20)]
    assert [found.opened for found in store.incidents("tidy", 2)] == [at(40), at(30)]
    assert len(list(store.incidents("tidy", None))) == 5


def test_hundreds_are_all_read(store: Store) -> None:
    made = [incident(n % 7, f"entry-{n:03}") for n in range(250)]
    assert store.put_incidents(made) == [True] * len(made)
    found = list(store.incidents(None, None))
    assert len(found) == len(made)
    assert {one.name for one in found} == {one.name for one in made}
    assert [one.opened for one in found] == sorted((one.opened for one in made), reverse=True)


def test_two_threads_that_open_one_at_once_open_one(store: Store, reopen: Reopen) -> None:
    def open_all(handle: Store, seconds: float) -> list[bool]:
        return handle.put_incidents([incident(seconds, f"entry-{n}") for n in range(10)])

    with ThreadPoolExecutor(2) as threads:
        one, two = threads.map(open_all, (store, reopen()), (0, 1))
    assert [a + b for a, b in zip(one, two, strict=True)] == [1] * 10
    assert len(store.open_incidents()) == 10


def test_two_threads_that_change_one_at_once_change_it_once(store: Store, reopen: Reopen) -> None:
    before = [put(store, incident(0, f"entry-{n}")) for n in range(10)]

    def change_all(handle: Store, cause: str) -> list[bool]:
        return handle.put_incidents([replace(one, revision=2, cause=cause) for one in before])

    with ThreadPoolExecutor(2) as threads:
        one, two = threads.map(change_all, (store, reopen()), ("one", "two"))
    assert [a + b for a, b in zip(one, two, strict=True)] == [1] * 10
    expected = ["one" if mine else "two" for mine in one]
    assert [found.cause for found in store.incidents(None, None)] != []
    by_name = {found.name: found.cause for found in store.open_incidents()}
    assert [by_name[one.name] for one in before] == expected


def test_incidents_that_were_closed_before_a_moment_are_forgotten(store: Store) -> None:
    for n in range(4):
        closed(store, put(store, incident(10 * n)), 10 * n + 5)
    still_open = put(store, incident(1, "other"))
    assert store.forget_incidents(at(25)) == 2
    assert [found.opened for found in store.incidents(None, None)] == [at(30), at(20), at(1)]
    assert store.open_incidents() == [still_open]
    assert store.forget_incidents(at(25)) == 0
