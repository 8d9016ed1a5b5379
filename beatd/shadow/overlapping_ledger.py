"""Let the runs of all entries overlap in a shadow daemon, which only compares schedules.

A shadow daemon sends nothing, so it never learns that a run ended.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.ledger import Ledger, OpenClaim, Request


class OverlappingLedger:
    """Reads entries and their next runs from `ledger`, and changes all entries to `overlap:
    allow`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.version, self.drop_cached = ledger.version, ledger.drop_cached

    @property
    def namespace(self) -> UUID:
        return self._ledger.namespace

    def upcoming(self, limit: int) -> Sequence[Stored]:
        return [allowed(row) for row in self._ledger.upcoming(limit)]

    def unknowns(self, before: datetime, limit: int) -> Sequence[OpenClaim]:
        return [
            claim if claim.stored is None else replace(claim, stored=allowed(claim.stored))
            for claim in self._ledger.unknowns(before, limit)
        ]

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        return [
            (request, None if row is None else allowed(row))
            for request, row in self._ledger.requests(limit)
        ]


def allowed(row: Stored) -> Stored:
    """Return an entry with `overlap: allow`, as if no run of it was running."""
    if row.entry.overlap == "allow":
        return row
    return replace(row, entry=replace(row.entry, overlap="allow"), running=None)
