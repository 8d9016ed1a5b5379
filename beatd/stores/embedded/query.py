"""Test rows in memory for the conditions of a query, and sort them."""

import re
from collections.abc import Callable, Iterable
from typing import Literal

from beatd.catalog import Query
from beatd.entry import Entry
from beatd.stores.embedded.tables import Defined, Planned

CHECKED = 10_000  # entries that `problems` decodes, by due moment: a million take too long
PARTS_MISSING = (
    "some entries lost their plans or their definitions; a leader mends them within a minute"
)
Row = tuple[Defined, Planned]


def asks_for(query: Query) -> Callable[[Defined, Planned], bool]:
    """Return a test of a row for all conditions that need no decoded definition: name, source, due
    moment, rules and state. `query.names` is not tested."""
    name_like = _pattern(query.name_like)

    def holds(defined: Defined, planned: Planned) -> bool:
        due, enabled = planned.plan.due, defined.enabled and not defined.paused
        return (
            (name_like is None or name_like.fullmatch(defined.name) is not None)
            and (query.source is None or defined.source == query.source)
            and (query.due_before is None or (due is not None and due < query.due_before))
            and (query.rules_before is None or planned.plan.rules < query.rules_before)
            and (query.enabled is None or query.enabled == enabled)
        )

    return holds


def runs_a_task(query: Query) -> Callable[[Entry], bool]:
    """Return a test whether an entry runs a task that the query matches."""
    task_like = _pattern(query.task_like)
    return lambda entry: task_like is None or task_like.fullmatch(entry.task) is not None


def in_order(rows: Iterable[Row], order: Literal["name", "next"]) -> list[Row]:
    """Return the rows by name, or by due moment and name; rows that are not due come last."""
    by_name = sorted(rows, key=lambda row: row[0].name)
    if order == "name":
        return by_name
    ahead = [(due, row) for row in by_name if (due := row[1].plan.due) is not None]
    ahead.sort(key=lambda soon: soon[0])
    return [row for _, row in ahead] + [row for row in by_name if row[1].plan.due is None]


def beginning(shell: str | None) -> str:
    """Return the text that every match of a shell pattern begins with: all before its first * or
    ?."""
    return re.split(r"[*?]", shell, maxsplit=1)[0] if shell else ""


def _pattern(shell: str | None) -> re.Pattern[str] | None:
    """Return the regular expression of a shell pattern of * and ?; None for None. Brackets stand
    for themselves, as names may hold them."""
    if shell is None:
        return None
    meaning = {"*": ".*", "?": "."}
    return re.compile("".join(meaning.get(c) or re.escape(c) for c in shell), re.DOTALL)
