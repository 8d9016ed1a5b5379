"""Write and delete the records of who changed which entry in a store in memory."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from beatd.changes import RECORDS_MAX, Author, ChangeRecord
from beatd.run import MICROSECOND
from beatd.stores.change_records import KeptEntry, record_of
from beatd.stores.embedded.table_values import ChangeRow, ChangesForgotten, NextChange
from beatd.stores.embedded.tables import Tables

# The changes of one call have the same time, and get their own microseconds within it.
SAME_CALL = timedelta(seconds=1)


def kept_entry(tables: Tables, name: str) -> KeptEntry | None:
    """Return the fields of a stored entry that a record of its change compares, or None.

    It is None if the entry does not exist, or lost its next run or its definition.
    """
    defined = tables.defined.get(name)
    if defined is None or name not in tables.planned:
        return None
    return KeptEntry(
        definition=bytes(defined.definition),
        source=defined.source,
        declared_at=defined.declared_at,
        paused=defined.paused,
        pause=defined.pause,
    )


def write_record(
    tables: Tables, name: str, author: Author, before: KeptEntry | None, at: datetime
) -> None:
    """Record who changed an entry, when and how; `before` is the entry before the change, or None.

    Nothing is written if the entry is the same as before.
    """
    record = record_of("", at, name, author, before, kept_entry(tables, name))
    if record is not None:
        _add(tables, replace(record, at=_own_moment(tables, name, at)))


def _own_moment(tables: Tables, name: str, at: datetime) -> datetime:
    # A copy of a store tells the records of an entry apart by their times, so each record of an
    # entry gets a time of its own.
    newest = next((row.at for row in tables.changes.newest(name)), None)
    if newest is not None and at <= newest < at + SAME_CALL:
        return newest + MICROSECOND
    return at


def copy_records(tables: Tables, records: Iterable[ChangeRecord]) -> None:
    """Append the records of changes of another store under new ids, for a copy of that store.

    A record is left out if the store has one of the same entry and time.
    """
    records = list(records)
    there = {
        (name, row.at)
        for name in {record.name for record in records}
        for row in tables.changes.newest(name)
    }
    for record in records:
        if (record.name, record.at) not in there:
            _add(tables, record)


def _add(tables: Tables, record: ChangeRecord) -> None:
    number = tables.changes.next
    tables.put(ChangeRow(number, replace(record, id=str(number))))
    # In steps of a tenth, so that not each new record deletes an old one.
    if len(tables.changes) > RECORDS_MAX + RECORDS_MAX // 10:
        tables.put(ChangesForgotten(tables.changes.first, number - RECORDS_MAX))


def forget_changes(tables: Tables, before: datetime, keep: int) -> int:
    """Delete the records of changes older than `before` and all but the newest `keep`.

    Return the number of deleted records.
    """
    count, last = tables.changes.old(before, keep)
    if count:
        tables.put(NextChange(tables.changes.next))
        tables.put(ChangesForgotten(tables.changes.first, last))
    return count
