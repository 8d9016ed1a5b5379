"""Find the entries whose last run could not be published."""

from collections.abc import Iterable

from beatd.history import History, Record

RECORDS_READ = 500
RECORDS_READ_OF_ONE_ENTRY = 50


def failing_entries(history: History, name: str | None = None) -> dict[str, Record]:
    """Return the newest record of each entry whose last run could not be published, by name.

    The newest record comes first. Only the last RECORDS_READ records are read or, for one `name`,
    its last RECORDS_READ_OF_ONE_ENTRY.
    """
    limit = RECORDS_READ if name is None else RECORDS_READ_OF_ONE_ENTRY
    newest = newest_of_each(history.history(name, limit))
    return {name: record for name, record in newest.items() if record.state == "failed"}


def newest_of_each(records: Iterable[Record]) -> dict[str, Record]:
    """Return the newest record of each entry, by entry name; `records` has the newest first.

    Records of other states than "published" and "failed" are ignored.
    """
    newest: dict[str, Record] = {}
    for record in records:
        if record.state in ("published", "failed"):
            newest.setdefault(record.name, record)
    return newest
