"""A store is the sum of small roles, and nobody but the wiring asks for the sum."""

from typing import get_type_hints

import pytest

from beatd.marks import MarkRows
from beatd.store import Roles, Store
from tests.test_imports import ALL, imported, room_of

ROLES = get_type_hints(Roles)
METHODS_AT_MOST = 7


def methods_of(protocol: type) -> set[str]:
    return {
        name
        for part in protocol.__mro__
        if part.__module__.startswith("beatd.")
        for name in vars(part)
        if not name.startswith("_")
    }


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_small(role: str) -> None:
    assert 0 < len(methods_of(ROLES[role])) <= METHODS_AT_MOST


def test_a_store_is_the_sum_of_its_roles() -> None:
    parts = set[str]().union(*map(methods_of, (*ROLES.values(), MarkRows)))
    assert methods_of(Store) == parts


@pytest.mark.parametrize("name", ALL)
def test_only_the_wiring_asks_for_a_whole_store(name: str) -> None:
    if room_of(name) != "wiring":
        assert "beatd.store.Store" not in set(imported(ALL[name]))
