"""Filter and sort the entries of a store in memory by the conditions of a query."""

import re
from collections.abc import Callable, Iterable
from typing import Literal

from beatd.catalog import Query
from beatd.entry import Entry
from beatd.stores.embedded.table_values import Defined, Planned

CHECKED = 10_000  # entries that `problems` decodes, by due moment: a million take too long
PARTS_MISSING = (
    "some entries lost their plans or their definitions; a leader mends them within a minute"
)
Row = tuple[Defined, Planned]


def asks_for(query: Query) -> Callable[[Defined, Planned], bool]:
    """Return a filter for those conditions of a query that need no decoded definition: name
    pattern, source, due moment, planning rules, enabled state. The filter does not test
    `query.names`."""
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
    """Return a filter for entries whose task matches the query's task pattern. Without a pattern,
    every entry passes."""
    task_like = _pattern(query.task_like)
    return lambda entry: task_like is None or task_like.fullmatch(entry.task) is not None


def in_order(rows: Iterable[Row], order: Literal["name", "next"]) -> list[Row]:
    """Return the rows sorted by name, or by due moment and then name for "next". With "next", rows
    without a due moment are last."""
    by_name = sorted(rows, key=lambda row: row[0].name)
    if order == "name":
        return by_name
    ahead = [(due, row) for row in by_name if (due := row[1].plan.due) is not None]
    ahead.sort(key=lambda soon: soon[0])
    return [row for _, row in ahead] + [row for row in by_name if row[1].plan.due is None]


def beginning(shell: str | None) -> str:
    """Return the part of a shell pattern before its first * or ?, such as "daily-" for "daily-*".
    Return "" if the pattern is None."""
    return re.split(r"[*?]", shell, maxsplit=1)[0] if shell else ""


def _pattern(shell: str | None) -> re.Pattern[str] | None:
    """Return the regular expression for a shell pattern, or None if the pattern is None. Only * and
    ? are special; brackets match themselves, because names may contain brackets."""
    if shell is None:
        return None
    meaning = {"*": ".*", "?": "."}
    return re.compile("".join(meaning.get(c) or re.escape(c) for c in shell), re.DOTALL)
