"""A shelf is shared with an older beatd, which knows no outcomes, running runs and incidents, and
neither pauses with an end nor records of changes."""

import pickle
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beatd.catalog import Change
from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.incident import Incident
from beatd.ledger import RunningChange
from beatd.outcome import Delivery, OutcomeState
from beatd.run import Run
from beatd.stores.embedded.shelve import ShelveStore
from tests.stores.changing import actions, add, changes, pause_of, remove, stop
from tests.stores.making import FOREVER, at, claimed, lead, open_claims, past, put, row, told

OLDER_KEYS = {
    "format", "identity", "version", "term", "mark", "entry", "plan", "request", "claim", "record",
    "changes", "changed", "daemons",
}  # fmt: skip
OLDER_DELETIONS = {"removed", "done", "closed", "forgotten"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shelf"


@pytest.fixture
def store(path: Path) -> ShelveStore:
    return opened(path)


def opened(path: Path) -> ShelveStore:
    return ShelveStore(path, codec=codec, clock=SystemClock())


def cells(path: Path) -> dict[str, Any]:
    with sqlite3.connect(path) as file:
        found = {k.decode(): pickle.loads(v) for k, v in file.execute("SELECT * FROM Dict")}
    file.close()
    return found


def change(path: Path, made: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Write the file as an older beatd would have left it."""
    rows = [(key.encode(), pickle.dumps(value)) for key, value in made(cells(path)).items()]
    with sqlite3.connect(path) as file:
        file.execute("DELETE FROM Dict")
        file.executemany("INSERT INTO Dict (key, value) VALUES (?, ?)", rows)
    file.close()


def running_run(store: ShelveStore, name: str = "tidy") -> Run:
    stored = put(store, name, overlap="queue", max_run="1h")
    return claimed(store, stored, lead(store), running=RunningChange(until=at(3600)))


def delivery(run: Run, state: OutcomeState, when: float = 2) -> Delivery:
    name, planned = run.occurrence.name, run.occurrence.planned
    return Delivery(
        task_id=run.task_id, delivery="d", name=name, planned=planned, state=state, at=at(when)
    )


def fill_and_empty(store: ShelveStore) -> None:
    """Write and delete a row of each table."""
    run = running_run(store)
    store.record([told(run)])
    store.write_outcomes([delivery(run, "started"), delivery(run, "failed")], at(2))
    incident = Incident(kind="failed", name="tidy", opened=at(2), revision=1, closed=at(3))
    assert store.put_incidents([incident]) == [True]
    assert store.forget_incidents(at(4)) == 1
    store.forget(at(5), 0)
    add(store, "third")
    remove(store, "third")
    assert store.forget_changes(FOREVER, 0) == 2
    running_run(store, "other")
    stored = row(store, "other")
    assert store.write([Change("other", stored.revision, None)]) == [True]


def test_an_older_beatd_knows_each_deletion_that_it_reads(store: ShelveStore, path: Path) -> None:
    fill_and_empty(store)
    changes = [value for key, value in cells(path).items() if key.startswith("changed:")]
    assert {kind for change in changes for kind, _ in change["gone"]} <= OLDER_DELETIONS
    assert {kind for change in changes for kind, _ in change.get("gone_too", [])} == {
        "running", "delivery", "incident", "edits",
    }  # fmt: skip


def test_what_was_deleted_leaves_no_key(store: ShelveStore, path: Path) -> None:
    fill_and_empty(store)
    assert {key.partition(":")[0] for key in cells(path)} - OLDER_KEYS == {"outcome", "next-edit"}
    stored = row(store, "tidy")
    store.write([Change("tidy", stored.revision, None)])
    assert {key.partition(":")[0] for key in cells(path)} - OLDER_KEYS == {"next-edit"}


def test_claims_and_records_of_an_older_beatd_have_the_origin_planned(
    store: ShelveStore, path: Path
) -> None:
    first, second = put(store, "a"), put(store, "b")
    store.record([told(claimed(store, first, lead(store)))])
    claimed(store, second, lead(store))
    store.close()

    def as_older(found: dict[str, Any]) -> dict[str, Any]:
        for key, value in found.items():
            if key.startswith("claim:"):
                del value["origin"]
            elif key.startswith("record:"):
                del value["record"]["origin"]
        return found

    change(path, as_older)
    again = opened(path)
    assert [(one.state, one.origin) for one in past(again)] == [
        ("published", "planned"), ("claimed", "planned"),
    ]  # fmt: skip
    assert len(open_claims(again)) == 1
    assert again.problems() == []


def test_an_entry_that_an_older_beatd_removed_leaves_no_running_run_to_a_new_one(
    store: ShelveStore, path: Path
) -> None:
    run = running_run(store)
    store.write_outcomes([delivery(run, "started")], at(2))
    store.close()
    change(
        path,
        lambda found: {k: v for k, v in found.items() if k not in ("entry:tidy", "plan:tidy")},
    )
    again = opened(path)
    stored = put(again, "tidy", overlap="queue", max_run="1h")
    assert stored.running is None
    assert again.entry_outcomes(None) == {}
    assert not {"running:tidy", "outcome:tidy"} & set(cells(path))


def test_a_deletion_of_a_newer_beatd_is_no_error(store: ShelveStore, path: Path) -> None:
    other = opened(path)
    put(other, "a")
    put(store, "b")

    def as_newer(found: dict[str, Any]) -> dict[str, Any]:
        newest = max(key for key in found if key.startswith("changed:"))
        found[newest]["gone_too"] = [["what will come", {"name": "b"}]]
        return found

    change(path, as_newer)
    assert row(other, "b").entry.name == "b"


def test_an_entry_that_an_older_beatd_wrote_has_no_pause_with_an_end(
    store: ShelveStore, path: Path
) -> None:
    add(store)
    stop(store, pause=pause_of(60))
    store.close()

    def as_older(found: dict[str, Any]) -> dict[str, Any]:
        assert found["entry:tidy"].pop("pause")["by"] == "ann"
        return found

    change(path, as_older)
    again = opened(path)
    assert row(again).paused and row(again).pause is None
    assert list(again.ending_pauses(FOREVER, 10)) == []
    assert again.problems() == []


def test_the_id_of_a_change_never_repeats(store: ShelveStore, path: Path) -> None:
    add(store)
    stop(store)
    known = {one.id for one in changes(store)}
    other = opened(path)
    assert store.forget_changes(FOREVER, 0) == 2
    assert changes(other) == []
    store.close()
    again = opened(path)
    remove(again)
    assert actions(again) == actions(other) == [("tidy", "removed")]
    assert changes(other)[0].id not in known


def test_a_damaged_record_of_a_change_is_left_out(store: ShelveStore, path: Path) -> None:
    add(store)
    stop(store)
    remove(store)
    damaged, key = changes(store)[1], "edit:000000000002"
    store.close()
    change(path, lambda found: {**found, key: {**found[key], "record": "damaged"}})
    again = opened(path)
    assert actions(again) == actions(again, "tidy") == [("tidy", "added"), ("tidy", "removed")]
    assert again.change(damaged.id) is None
    assert [problem for problem in again.problems() if key in problem]
    assert again.forget_changes(FOREVER, 0) == 2
    assert not [key for key in cells(path) if key.startswith("edit:")]
