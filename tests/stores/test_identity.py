"""A store has an identity of its own, from which its task ids are made."""

from collections.abc import Callable

from beatd.store import Store
from tests.stores.making import holder


def test_two_handles_see_one_identity(store: Store, reopen: Callable[[], Store]) -> None:
    assert reopen().namespace == store.namespace


def test_a_new_identity_is_another_one_and_stays(store: Store, reopen: Callable[[], Store]) -> None:
    before = store.namespace
    fresh = store.new_identity()
    assert fresh != before
    assert store.namespace == fresh
    assert reopen().namespace == fresh


def test_whoever_begins_a_term_has_the_newest_identity(
    store: Store, reopen: Callable[[], Store]
) -> None:
    """So it has whoever slept through it, or was opened before."""
    fresh = reopen().new_identity()
    store.begin(holder())
    assert store.namespace == fresh
