"""Inputs of the target `shelf` that damage one file, each the rows of its own entries."""

import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beatd.stores.embedded import shelve
from beatd.stores.embedded.shelf_values import from_plain
from tests.fuzz.target import CallMany
from tests.fuzz.targets.shelf import TARGETS
from tests.fuzz.targets.shelf_damage import OF_ENTRIES, SHARED, changes_in, made


@pytest.fixture(scope="module")
def call_many() -> Iterator[CallMany]:
    opened_many = TARGETS[0].opened_many
    assert opened_many is not None
    with tempfile.TemporaryDirectory() as folder, opened_many(Path(folder)) as call:
        yield call


def change(*parts: Any) -> bytes:
    return json.dumps([parts]).encode()


@pytest.mark.parametrize("place", [0, 39])
@pytest.mark.parametrize("kind", OF_ENTRIES)
def test_a_fault_is_reached_from_each_place_of_a_batch(
    call_many: CallMany, monkeypatch: pytest.MonkeyPatch, kind: str, place: int
) -> None:
    def fails(*values: Any) -> Any:
        try:
            return from_plain(*values)
        except Exception as error:
            raise EOFError(values[0]) from error

    monkeypatch.setattr(shelve, "from_plain", fails)
    inputs = [b"[]"] * 40
    assert call_many(inputs) == []
    for damage in (change("pickle", [kind, 1], "80"), change("node", kind, 0, {"x": 1})):
        inputs[place] = damage
        with pytest.raises(EOFError, match=f"{kind}:"):
            call_many(inputs)


def test_the_file_and_what_all_entries_share_are_called_alone(call_many: CallMany) -> None:
    alone = [change("bytes", 5000, "ff"), change("cut", 9), *(change("gone", x) for x in SHARED)]
    own = [change("gone", "plan:good"), change("key", "entry", "plan:"), b"no JSON"]
    assert call_many([*own, *alone]) == alone


def test_some_of_the_made_inputs_damage_the_file_and_most_damage_rows(call_many: CallMany) -> None:
    rng = random.Random(1)
    inputs = [made(rng) for _ in range(400)]
    assert len(call_many(inputs[:40])) < 10
    changes = [changes_in(data)[0] for data in inputs]
    assert 10 <= sum(how in ("bytes", "cut") for how, *_ in changes) < 40
    assert {where[0] for how, where, *_ in changes if isinstance(where, list)} >= {*OF_ENTRIES}
