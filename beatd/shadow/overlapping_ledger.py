"""A ledger (the planned runs of a store) for a shadow daemon, in which runs may overlap.

A shadow only compares schedules, and never learns that a run ended.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.ledger import Ledger, OpenClaim, Request


class OverlappingLedger:
    """Reads plans from `ledger`, and sets `overlap: allow` in every entry that it returns."""

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
    """Return the stored entry with `overlap: allow` and without a running run."""
    if row.entry.overlap == "allow":
        return row
    return replace(row, entry=replace(row.entry, overlap="allow"), running=None)
