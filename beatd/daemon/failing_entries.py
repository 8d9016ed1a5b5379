"""Which entries fail: what is newest of each among the last few hundred records."""

from collections.abc import Iterable

from beatd.ledger import History, Record

LOOKED_AT = 500
OF_ONE = 50  # records, where one entry is asked about


def failing(history: History, name: str | None = None) -> dict[str, Record]:
    """By name, the newest first; read by index, whatever the length of the history."""
    newest = newest_of_each(history.history(name, LOOKED_AT if name is None else OF_ONE))
    return {name: record for name, record in newest.items() if record.state == "failed"}


def newest_of_each(records: Iterable[Record]) -> dict[str, Record]:
    """An open claim and a skip say nothing of how a run ends."""
    newest: dict[str, Record] = {}
    for record in records:
        if record.state in ("published", "failed"):
            newest.setdefault(record.name, record)
    return newest
