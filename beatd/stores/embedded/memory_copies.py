"""Copy one store into another: read and write the content of a store in memory unchanged."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID, uuid4

from beatd.changes import ChangeRecord
from beatd.leader import Holder, Term
from beatd.marks import Mark
from beatd.outcome import EntryOutcome
from beatd.run import Running
from beatd.store import WrittenRecord
from beatd.stores.embedded.change_writes import copy_records
from beatd.stores.embedded.claims import LINES, add_line
from beatd.stores.embedded.memory_part import MemoryPart
from beatd.stores.embedded.table_values import Identity, Marked, OutcomeRow, RunningRow, Termed


class MemoryCopies(MemoryPart):
    @property
    def most_records(self) -> int:
        return LINES

    def records(self, after: str) -> Iterator[WrittenRecord]:
        last = int(after or 0)
        with self._reading():
            lines = [line for line in self._tables.lines if line.number > last]
        return (WrittenRecord(str(line.number), line.at, line.record) for line in lines)

    def write_records(self, records: Sequence[WrittenRecord], mark: Mark, seen: Mark) -> bool:
        with self._writing():
            found = self._tables.marks.get(mark.key)
            if found != seen:
                return found == mark
            self._tables.put(Marked(mark))
            for written in records:
                add_line(self._tables, written.at, written.record, None)
            return True

    def write_changes(self, records: Sequence[ChangeRecord]) -> None:
        with self._writing():
            copy_records(self._tables, records)

    def write_entry_outcomes(self, outcomes: Sequence[EntryOutcome]) -> None:
        with self._writing():
            for outcome in outcomes:
                self._tables.put(OutcomeRow(outcome))

    def write_running(self, running: Mapping[str, Running]) -> None:
        with self._writing():
            for name, run in running.items():
                self._tables.put(RunningRow(name, run))

    def all_marks(self) -> Sequence[Mark]:
        with self._reading():
            return list(self._tables.marks.values())

    def write_identity(self, namespace: UUID, newest: tuple[Term, Holder] | None) -> None:
        with self._writing():
            self._tables.put(Identity(namespace.hex))
            leads = self._tables.leads
            if newest is not None and (leads is None or newest[0].number > leads.term.number):
                self._tables.put(Termed(Term(newest[0].number, uuid4().hex), newest[1]))
