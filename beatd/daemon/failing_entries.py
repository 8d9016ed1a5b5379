"""Find the entries whose newest record, among the last few hundred, is a failure."""

from collections.abc import Iterable

from beatd.ledger import History, Record

RECORDS_READ = 500
RECORDS_READ_OF_ONE_ENTRY = 50


def failing_entries(history: History, name: str | None = None) -> dict[str, Record]:
    """Return, by entry name, the newest record of each entry whose last run failed, the newest
    first.

    If `name` is given, only that entry is checked. An index makes this quick for a history of any
    length.
    """
    limit = RECORDS_READ if name is None else RECORDS_READ_OF_ONE_ENTRY
    newest = newest_of_each(history.history(name, limit))
    return {name: record for name, record in newest.items() if record.state == "failed"}


def newest_of_each(records: Iterable[Record]) -> dict[str, Record]:
    """Return, by entry name, the newest record with the state "published" or "failed".

    `records` must come newest first.
    """
    newest: dict[str, Record] = {}
    for record in records:
        if record.state in ("published", "failed"):
            newest.setdefault(record.name, record)
    return newest
