"""A report is of this store's run, or is counted as unknown."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from uuid import uuid4

from beatd.definition import codec
from beatd.history import Record
from beatd.outcomes.known_runs import RECORDS_READ, KnownRuns
from beatd.run import Occurrence, Running, task_id
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock
from tests.outcomes.making import PLANNED, delivery

NAMESPACE = uuid4()
NOTHING: Mapping[str, Running] = MappingProxyType({})


class Records:
    """A history of given records, which counts the reads."""

    def __init__(self, *records: Record) -> None:
        self.records, self.reads = records, 0

    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        self.reads += 1
        assert limit == RECORDS_READ
        return (record for record in self.records if record.name == name)

    def open_claims(self) -> int:
        return 0

    def forget(self, before: object, keep: int) -> int:
        return 0


class WithRunning(MemoryStore):
    """A store with given running runs."""

    def __init__(self, runs: Mapping[str, Running]) -> None:
        super().__init__(codec=codec, clock=FakeClock())
        self.runs = runs

    def running(self, names: Sequence[str] | None) -> Mapping[str, Running]:
        return {name: run for name, run in self.runs.items() if names is None or name in names}


def known_runs(records: Records, runs: Mapping[str, Running] = NOTHING) -> KnownRuns:
    return KnownRuns(records, WithRunning(runs))


def test_the_running_runs_of_any_number_of_entries_are_known() -> None:
    running = {f"e{nth}": Running(f"r{nth}", PLANNED, PLANNED) for nth in range(120)}
    runs = [delivery("succeeded", name=f"e{nth}", task_id=f"r{nth}") for nth in range(120)]
    records = Records()
    assert known_runs(records, running).among(runs, NAMESPACE) == runs and not records.reads


def test_a_planned_run_is_known_without_reading() -> None:
    records = Records()
    run = delivery("started", task_id=task_id(NAMESPACE, Occurrence("e", PLANNED)))
    assert known_runs(records).among([run], NAMESPACE) == [run] and not records.reads


def test_a_run_of_another_store_is_unknown() -> None:
    run = delivery("started", task_id=task_id(uuid4(), Occurrence("e", PLANNED)))
    assert known_runs(Records()).among([run], NAMESPACE) == []


def test_a_planned_run_with_another_moment_is_unknown() -> None:
    moment = PLANNED + timedelta(seconds=1)
    run = delivery("started", task_id=task_id(NAMESPACE, Occurrence("e", moment)))
    assert known_runs(Records()).among([run], NAMESPACE) == []


def test_a_requested_run_is_known_by_its_record_and_read_once() -> None:
    records = Records(Record("e", PLANNED, "claimed", task_id="asked for"))
    known, run = known_runs(records), delivery("started", task_id="asked for")
    assert known.among([run], NAMESPACE) == known.among([run], NAMESPACE) == [run]
    assert records.reads == 1


def test_many_unknown_entries_cost_a_bounded_number_of_reads() -> None:
    records = Records()
    runs = [delivery("started", name=str(nth), task_id=str(nth)) for nth in range(500)]
    assert known_runs(records).among(runs, NAMESPACE) == [] and records.reads == 50
