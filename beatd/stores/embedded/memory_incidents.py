"""Keep incidents, which are problems that last for some time, in a store in memory."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from beatd.incident import Incident, writes_of
from beatd.stores.embedded.memory_part import MemoryPart
from beatd.stores.embedded.table_values import IncidentGone, IncidentRow


class MemoryIncidents(MemoryPart):
    def open_incidents(self) -> list[Incident]:
        with self._reading():
            found = [
                one
                for one in self._tables.incidents.values()
                if one.closed is None or one.resolved is None
            ]
        return sorted(found, key=lambda one: one.opened)

    def put_incidents(self, incidents: Sequence[Incident]) -> list[bool]:
        written = []
        for part in writes_of(incidents):
            with self._writing():
                written += [self._put(one) for one in part]
        return written

    def _put(self, one: Incident) -> bool:
        before = self._tables.incidents.get((one.kind, one.name, one.opened))
        if one.revision != (1 if before is None else before.revision + 1):
            return False
        if before is None and (one.kind, one.name) in self._tables.open_incidents:
            return False
        self._tables.put(IncidentRow(one))
        return True

    def incidents(self, name: str | None, limit: int | None) -> Iterator[Incident]:
        with self._reading():
            found = [i for i in self._tables.incidents.values() if name is None or i.name == name]
        found.sort(key=lambda one: one.opened, reverse=True)
        return islice(found, limit)

    def forget_incidents(self, before: datetime) -> int:
        with self._writing():
            old = [
                one
                for one in self._tables.incidents.values()
                if one.closed is not None and one.closed < before
            ]
            for one in old:
                self._tables.put(IncidentGone(one.kind, one.name, one.opened))
            return len(old)
