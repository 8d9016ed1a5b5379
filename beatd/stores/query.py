"""Which rows a query asks for, where they are looked through in memory."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from beatd.catalog import Query, Stored


def asks_for(query: Query) -> Callable[[Stored], bool]:
    name_like, task_like = _pattern(query.name_like), _pattern(query.task_like)

    def holds(row: Stored) -> bool:
        entry, due = row.entry, row.plan.due
        return (
            (name_like is None or name_like.fullmatch(entry.name) is not None)
            and (task_like is None or task_like.fullmatch(entry.task) is not None)
            and (query.source is None or entry.source == query.source)
            and (query.due_before is None or (due is not None and due < query.due_before))
            and (query.enabled is None or query.enabled == (entry.enabled and not row.paused))
        )

    return holds


def ordered(rows: Iterable[Stored], order: Literal["name", "next"]) -> Iterator[Stored]:
    if order == "name":
        return iter(sorted(rows, key=lambda row: row.entry.name))
    ahead: list[Stored] = []
    idle: list[Stored] = []
    for row in rows:
        (idle if row.plan.due is None else ahead).append(row)
    ahead.sort(key=lambda row: (row.plan.due, row.entry.name))
    idle.sort(key=lambda row: row.entry.name)
    return iter(ahead + idle)


def _pattern(shell: str | None) -> re.Pattern[str] | None:
    """Only * and ? mean something; fnmatch would also take brackets, which names may hold."""
    if shell is None:
        return None
    meaning = {"*": ".*", "?": "."}
    return re.compile("".join(meaning.get(c) or re.escape(c) for c in shell), re.DOTALL)
