"""Put skipped runs at their places among the other runs of their entries, and join their stretches.

A stretch is all runs of one entry that one outage skipped. The history may have it in several
records: a run that was claimed before an outage is skipped some seconds after the others.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar

from msgspec.structs import replace

from beatd.history import Record
from beatd.planning import LATE_REASONS

READ_AHEAD = 200  # the records of one stretch are at most so far apart

T = TypeVar("T")
Line = tuple[Record, T]  # a record, and what else is known of its run


def skips_in_order(records: Iterable[Line[T]]) -> Iterator[Line[T]]:
    """Yield history records with each skip below all later runs of its entry, stretches joined.

    `records` has the record written last first. Published runs stay in the order in which they were
    published. A joined record has the first moment, the last one and the number of all its runs; it
    keeps what else is known of its oldest record.
    """
    rest, held = iter(records), list[Line[T]]()
    while block := list(islice(rest, READ_AHEAD)):
        held = _in_order([*held, *block])
        yield from held[:-READ_AHEAD]
        held = held[-READ_AHEAD:]
    yield from held


def are_of_one_outage(older: str, newer: str) -> bool:
    """Return True if two reasons of skips name the same catch-up rule and the same cause.

    The seconds in "late by 3.2 s" may differ.
    """
    return newer.startswith(LATE_REASONS) and _rule_and_cause(older) == _rule_and_cause(newer)


def _rule_and_cause(reason: str) -> tuple[str, str]:
    rule = next((one for one in LATE_REASONS if reason.startswith(one)), reason)
    cause = reason[reason.rfind("(") :] if reason.endswith(")") else ""
    return rule, cause


def _in_order(lines: Sequence[Line[T]]) -> list[Line[T]]:
    ordered = list[Line[T]]()
    newest = dict[str, datetime]()  # entry -> its newest planned moment in `ordered`
    for line in reversed(lines):  # the oldest first, so that `ordered` ends with the newest
        record, place = line[0], len(ordered)
        if _is_by_hand(record):
            ordered.append(line)
            continue
        last = newest.get(record.name)
        if record.state == "skipped" and last is not None and last > record.planned:
            place = _place(ordered, record)
        ordered.insert(place, line)
        newest[record.name] = record.planned if last is None else max(last, record.planned)
    return _joined(ordered)[::-1]


def _place(ordered: Sequence[Line[T]], skip: Record) -> int:
    # Records of other entries may lie in between.
    place = len(ordered)
    for at in range(len(ordered) - 1, -1, -1):
        other = ordered[at][0]
        if other.name == skip.name and not _is_by_hand(other):
            if other.planned <= skip.planned:
                break
            place = at
    return place


def _joined(ordered: Sequence[Line[T]]) -> list[Line[T]]:
    # `ordered` has the oldest first.
    joined = list[Line[T]]()
    newest = dict[str, int]()  # entry -> the place of its newest record in `joined`
    for line in ordered:
        record, at = line[0], newest.get(line[0].name)
        if at is not None and _is_one_stretch(joined[at][0], record):
            joined[at] = _one(joined[at][0], record), joined[at][1]
            continue
        if not _is_by_hand(record):
            newest[record.name] = len(joined)
        joined.append(line)
    return joined


def _is_by_hand(record: Record) -> bool:
    return record.origin in ("trigger", "backfill")


def _is_one_stretch(older: Record, newer: Record) -> bool:
    are_skips = older.state == newer.state == "skipped" and not _is_by_hand(newer)
    return are_skips and are_of_one_outage(older.reason, newer.reason)


def _one(older: Record, newer: Record) -> Record:
    return replace(
        newer,
        planned=older.planned,
        until=max(older.until or older.planned, newer.until or newer.planned),
        count=older.count + newer.count,
        at_least=older.at_least or newer.at_least,
    )
