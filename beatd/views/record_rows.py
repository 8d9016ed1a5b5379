"""Read history records with the outcomes of their runs, filter them, and format them as JSON."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from msgspec import Struct

from beatd.catalog import Catalog, Query
from beatd.history import Record
from beatd.outcome import Delivery, Outcomes
from beatd.requested_run import RequestedRun, requested_json
from beatd.run import ORIGIN_WORDS
from beatd.run_outcome import run_outcome, times_received
from beatd.trace import trace_id
from beatd.views.entry_rows import iso_or_none
from beatd.views.outcome_rows import delivery_json

PAGE = 500  # records whose outcomes are read at once

KnownRecord = tuple[Record, Sequence[Delivery]]


class RecordFilter(Struct, frozen=True):
    """A filter of history records by state and planned time; a condition that is None is not
    applied."""

    state: str | None
    since: datetime | None
    until: datetime | None

    def matching(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the history records that match the filter, in their order.

        `records` must have the newest first: reading stops at the first record published before
        `since`.
        """
        for record in records:
            if self.since and record.published is not None and record.published < self.since:
                return  # this record and all that follow were written before, and no run is early
            if self.state is not None and record.state != self.state:
                continue
            if self.since is not None and (record.until or record.planned) < self.since:
                continue
            if self.until is None or record.planned <= self.until:
                yield record


def with_deliveries(
    records: Iterable[Record], outcomes: Outcomes
) -> Iterator[tuple[Record, Sequence[Delivery]]]:
    """Yield each history record with the deliveries of its message to workers, oldest first."""
    left = iter(records)
    while page := list(islice(left, PAGE)):
        known = outcomes.outcomes([record.task_id for record in page if record.task_id])
        for record in page:
            yield record, known.get(record.task_id, ())


def with_traced(
    known: Iterable[KnownRecord], catalog: Catalog
) -> Iterator[tuple[KnownRecord, bool]]:
    """Yield each record with True if its entry has `trace: true`, else False."""
    left = iter(known)
    while page := list(islice(left, PAGE)):
        names = tuple({record.name for record, _ in page})
        traced = {row.entry.name for row in catalog.find(Query(names=names)) if row.entry.trace}
        for one in page:
            yield one, one[0].name in traced


def record_json(
    record: Record,
    deliveries: Sequence[Delivery],
    is_traced: bool,
    requested: RequestedRun | None = None,
) -> dict[str, Any]:
    """Return a history record and the outcome of its run as a dict for JSON.

    The outcome is that of the newest delivery or, if the run is a canvas, of all its tasks.
    "deliveries" is only present if workers received a message more than once; "until" and
    "count" only for a series of skipped runs; "requested" only if it is known who requested the
    run.
    """
    times = times_received(deliveries)
    return {
        "entry": record.name,
        "planned": iso_or_none(record.planned),
        "state": record.state,
        "reason": record.reason,
        "task_id": record.task_id,
        "published": iso_or_none(record.published),
        "late": record.lateness,
        "origin": record.origin,
        "trace": trace_id(record.task_id) if is_traced and record.task_id else None,
        **delivery_json(run_outcome(deliveries)),
        **requested_json(requested),
        **({"deliveries": times} if times > 1 else {}),
        **({"until": iso_or_none(record.until)} if record.until is not None else {}),
        **({"count": record.count} if record.count != 1 else {}),
        **({"at_least": True} if record.at_least else {}),
    }


def origin_text(record: Record) -> str:
    """Return why a run was sent, in words, or "" if it was planned and skipped."""
    if record.state == "skipped" and record.origin == "planned":
        return ""
    return ORIGIN_WORDS.get(record.origin, record.origin)
