"""Any store answers as the model does, whatever is asked of it in whatever order.

The model is the store in memory on which the simulator runs (`tests/simulation/true_store.py`).
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.stores.model.call import history
from tests.stores.model.fresh import fresh_stores
from tests.stores.model.play import first_difference, shrunk
from tests.stores.places import DATABASES, PLACES, closing_all, memory

Fresh = Callable[[], Any]
CALLS = 60
SHORT = list(range(3))
LONG = [pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 45)]


@pytest.fixture(params=PLACES, ids=lambda place: place.__name__)
def fresh(
    request: pytest.FixtureRequest, tmp_path: Path, server: Any, emptied: Any
) -> Iterator[Fresh]:
    """Empty stores of each kind, one after another."""
    with ExitStack() as places:
        if request.param in DATABASES:
            yield lambda: places.enter_context(closing_all(emptied(request.param)))()
        else:
            yield places.enter_context(fresh_stores(request.param, tmp_path, server))


@pytest.mark.parametrize("seed", [*SHORT, *LONG])
def test_every_store_does_what_the_model_does(fresh: Fresh, seed: int) -> None:
    calls = history(seed, CALLS if seed in SHORT else 2 * CALLS)
    found = first_difference(calls, fresh)
    assert found is None, f"seed {seed}, --calls {len(calls)}:\n{shrunk(found, fresh)}"


def test_a_difference_is_shown_with_the_calls_that_it_needs(tmp_path: Path) -> None:
    """A store that writes no history differs after a claim and a record, and no other call."""
    with fresh_stores(memory, tmp_path, lambda name: ("", 0)) as fresh:
        calls = history(0, CALLS)
        assert first_difference(calls, fresh) is None

        def careless() -> Any:
            store = fresh()
            store.record = lambda results: None
            return store

        found = first_difference(calls, careless)
        assert found is not None
        least = shrunk(found, careless)
    assert [call.step for call in least.calls] == ["edit", "claim_plans", "record"]
    assert "differs: " in str(least) and "record(" in str(least)
