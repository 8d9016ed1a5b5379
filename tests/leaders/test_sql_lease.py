"""A lease in any database: the row, and the hint that ends with its holder's session."""

from collections.abc import Callable

import pytest

from beatd.errors import ConfigError, StoreError
from beatd.leader import Lease
from beatd.leaders.databases import sql_lease
from tests.leaders.holders import LONG, PATIENCE_S, SHORT, holder
from tests.leaders.places import SqlPlace
from tests.waiting import until

Another = Callable[[], Lease]
in_sql = pytest.mark.parametrize("place", ["sqlite", "postgresql", "mariadb"], indirect=True)


@in_sql
def test_a_released_one_is_free_though_the_clock_was_set_back(
    place: SqlPlace, leases: Another
) -> None:
    leases().take(holder("one"), LONG)
    # What a release leaves, read by a clock that has not come so far again.
    place.run("UPDATE beatd_lease SET holder = '', token = '', hinted = (1 = 0)")
    two = holder("two")
    assert leases().take(two, LONG) == two


@in_sql
def test_a_holder_that_cannot_be_read_is_doubt(place: SqlPlace, leases: Another) -> None:
    leases().take(holder("one"), LONG)
    place.run("UPDATE beatd_lease SET holder = '?', token = 'of another'")
    with pytest.raises(StoreError, match="beatd_lease"):
        leases().take(holder("two"), LONG)


@in_sql
def test_a_holder_without_the_session_lock_is_not_taken_for_dead(
    leases: Another,
) -> None:
    # A frozen one still has the lock; the next holder leads by its row alone, and when the frozen
    # one dies the lock becomes free without any meaning.
    frozen, one, two = holder("frozen"), holder("one"), holder("two")
    stuck, here, there = leases(), leases(), leases()
    stuck.take(frozen, SHORT)
    until(lambda: here.take(one, LONG) == one, PATIENCE_S, "it is free")
    stuck.close()
    assert there.take(two, LONG) == one
    # It has taken the lock up by its next renewal, and from then on its death is noticed.
    here.take(one, LONG)
    assert there.take(two, LONG) == one


@in_sql
def test_a_frozen_holder_that_wakes_gives_the_session_lock_up(
    place: SqlPlace, leases: Another
) -> None:
    frozen, one, two = holder("frozen"), holder("one"), holder("two")
    stuck, here, there = leases(), leases(), leases()
    stuck.take(frozen, SHORT)
    until(lambda: here.take(one, LONG) == one, PATIENCE_S, "it is free")
    assert stuck.take(frozen, LONG) == one
    here.take(one, LONG)
    here.close()
    if place.ends_with_its_process:
        until(lambda: there.take(two, LONG) == two, PATIENCE_S, "its end is noticed")


def test_an_unknown_database_is_refused() -> None:
    with pytest.raises(ConfigError, match="oracle"):
        sql_lease("oracle://me:s3cret@host/beat")
