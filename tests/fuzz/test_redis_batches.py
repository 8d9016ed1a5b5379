"""Inputs of the target `redis` that damage one store, each the parts of its own entries."""

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import json

from beatd.stores.redis import changes, entry_reader, history, incidents, outcomes
from tests import needs
from tests.fuzz.target import CallMany
from tests.fuzz.targets.redis_damage import OF_ENTRIES, changes_in, made
from tests.fuzz.targets.redis_store import TARGETS

Plant = Callable[[Any, str], None]


@pytest.fixture(scope="module")
def call_many() -> Iterator[CallMany]:
    needs.program("redis-server")
    opened_many = TARGETS[0].opened_many
    assert opened_many is not None
    with tempfile.TemporaryDirectory() as folder, opened_many(Path(folder)) as call:
        yield call


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Plant:
    """A function that lets a function of the product fail for damaged values."""

    def planted(module: Any, name: str) -> None:
        well = getattr(module, name)

        def fails(*values: Any, **more: Any) -> Any:
            try:
                return well(*values, **more)
            except (ValueError, IndexError, KeyError):
                raise EOFError(f"{name} of {values}") from None

        monkeypatch.setattr(module, name, fails)

    return planted


def change(*parts: Any) -> bytes:
    return json.encode([parts])


@pytest.mark.parametrize("place", [0, 1, 39])
@pytest.mark.parametrize(
    ("module", "name", "damage"),
    [
        (entry_reader, "Row", change("cell", "rows", 0, 3, "x")),
        (entry_reader, "Row", change("sub", "rows", 1, "\t", "")),
        (entry_reader, "running_of", change("set", "running", 0, [])),
        (history, "record_of", change("cell", "history", 0, 2, "x", "b")),
        (history, "claimed_of", change("cell", "claims", 1, 0, "x")),
        (incidents, "_incident", change("sub", "incidents", 0, "{", "[")),
        (outcomes, "entry_of", change("sub", "outcomes", 0, "[", "{")),
        (changes, "change_of", change("set", "changes", 0, "x", "w")),
        (json, "decode", change("set", "applied", 0, "null")),
    ],
)
def test_a_fault_is_reached_from_each_place_of_a_batch(
    call_many: CallMany, plant: Plant, module: Any, name: str, damage: bytes, place: int
) -> None:
    plant(module, name)
    inputs = [b"[]"] * 40
    assert call_many(inputs) == []
    inputs[place] = damage
    with pytest.raises(EOFError, match=name):
        call_many(inputs)


def test_what_all_entries_share_is_called_alone(call_many: CallMany) -> None:
    alone = [change("set", "term", 0, "x"), change("gone", "namespace", 0), change("kind", "rows")]
    own = [change("gone", "plan", 1), change("member", "live", "bad", 1), b"no JSON"]
    assert call_many([*own, *alone]) == alone


def test_most_of_the_made_inputs_damage_their_own_entries(call_many: CallMany) -> None:
    rng = random.Random(1)
    inputs = [made(rng) for _ in range(400)]
    assert len(call_many(inputs[:40])) < 8
    keys = [{key for _, key, *_ in changes_in(data)} for data in inputs]
    assert set().union(*keys) >= OF_ENTRIES.keys()
    assert sum(not some <= OF_ENTRIES.keys() for some in keys) < 20
