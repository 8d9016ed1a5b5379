"""A store that many inputs damage at once shows a fault of each table, as one of each would."""

import importlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fuzz.target import CallMany
from tests.fuzz.targets import TARGETS

ODD = 314_159
HARMLESS = [
    json.dumps([["set", "history", place % 3, "reason", "x"]]).encode() for place in range(9)
]


@pytest.fixture(scope="module")
def call_many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallMany]:
    opened_many = TARGETS["sql"].opened_many
    assert opened_many is not None
    with opened_many(tmp_path_factory.mktemp("many")) as call:
        yield call


def changed(table: str, column: str, place: int = 0, value: Any = ODD) -> bytes:
    return json.dumps([["set", table, place, column, value]]).encode()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("reader", "data"),
    [
        ("entry_reader._stored", changed("plan", "runs")),
        ("entry_reader._stored", changed("plan", "planned", 2)),
        ("open_claims.batch_of", changed("claim", "term", 1)),
        ("history.record_of", changed("history", "count", 1)),
        ("upcoming.request_of", changed("request", "revision")),
        ("copies._mark", changed("applied", "loaded_at")),
        ("deliveries._of", changed("delivery", "live_since", 2)),
        ("deliveries._outcome_of", changed("entry_outcome", "failures", 1)),
        ("changes.record_of_row", changed("change", "at", 2)),
        ("catalog_reads.pause_of", changed("pause", "pause", value=f'{{"at": {ODD}}}')),
    ],
)
def test_a_fault_is_found_among_many_inputs(
    call_many: CallMany, monkeypatch: pytest.MonkeyPatch, reader: str, data: bytes
) -> None:
    module, name = reader.split(".")
    there = importlib.import_module(f"beatd.stores.sql.{module}")
    real = getattr(there, name)

    def planted(*given: Any) -> Any:
        if str(ODD) in str(given):
            raise RuntimeError("planted")
        return real(*given)

    monkeypatch.setattr(there, name, planted)
    assert call_many(HARMLESS) == []
    with pytest.raises(RuntimeError, match="planted"):
        call_many([*HARMLESS, data])


def test_an_input_that_changes_what_all_entries_share_is_left_out(call_many: CallMany) -> None:
    shared = changed("ledger", "term")
    broken = b'[["sub", "change", 0, "record", "ann", {"hex": "ff00"}]]'  # no text at all
    assert call_many([shared, *HARMLESS, broken]) == [shared, broken]
