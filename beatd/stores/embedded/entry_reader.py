"""Decode the stored definitions of entries, with a cache of about 32 MB."""

from collections.abc import Iterable

from beatd.byte_cache import ByteCache
from beatd.catalog import Codec, PlannedEntry
from beatd.entry import Entry
from beatd.errors import ConfigError
from beatd.stores.embedded.table_values import Defined, Planned

DECODED_BYTES = 32 * 2**20  # some 20,000 entries with few arguments


class Reader:
    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._decoded = ByteCache[str, tuple[int, Entry | None, str]](DECODED_BYTES)

    def entry(self, defined: Defined, *, keep: bool = True) -> Entry | None:
        """Return the decoded entry of a stored definition, or None if this program cannot read it.

        If `keep` is True, the decoded entry is cached.
        """
        return self._read(defined, keep=keep)[0]

    def planned_entry(self, defined: Defined, planned: Planned) -> PlannedEntry | None:
        """Return when an entry runs, or None if it is not planned or unreadable."""
        if planned.plan.planned is None:
            return None
        try:
            timing = self._codec.decode_timing(defined.name, bytes(defined.definition))
        except ConfigError:
            return None
        return PlannedEntry.of(defined.name, timing, planned.plan.planned, planned.runs)

    def problem(self, defined: Defined) -> str:
        """Return why this program cannot read an entry's stored definition, or "" if it can."""
        return self._read(defined, keep=True)[1]

    def drop_cached(self, names: Iterable[str]) -> None:
        self._decoded.drop(names)

    def forget(self) -> None:
        self._decoded.clear()

    def _read(self, defined: Defined, *, keep: bool) -> tuple[Entry | None, str]:
        known = self._decoded.get(defined.name)
        if known is not None and known[0] == defined.revision:
            return known[1:]
        entry, problem = None, ""
        try:
            entry = self._codec.decode(
                defined.name, bytes(defined.definition), defined.source, defined.declared_at
            )
        except ConfigError as trouble:
            problem = str(trouble)
        if keep:
            # Plain values take up to six times the room of their JSON.
            size = 500 + 6 * len(bytes(defined.definition))
            self._decoded.keep(defined.name, (defined.revision, entry, problem), size)
        return entry, problem
