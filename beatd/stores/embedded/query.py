"""Filter and sort the entries of a store in memory by the conditions of a search."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

from msgspec import MsgspecError, Struct, json

from beatd.canvas import names_in
from beatd.catalog import Query
from beatd.entry import Chord, Step
from beatd.stores.embedded.table_values import Defined, Planned

CHECKED = 10_000  # entries that `problems` decodes, by due moment: a million take too long
PARTS_MISSING = (
    "some entries lost their plans or their definitions; a leader mends them within a minute"
)
Row = tuple[Defined, Planned]


def asks_for(query: Query) -> Callable[[Defined, Planned], bool]:
    """Return a function that is True for an entry and its next run if they match a search.

    `query.names` is not tested; the caller looks these names up.
    """
    name_like, task_like = _pattern(query.name_like), _pattern(query.task_like)
    contains, is_behind = _inside(query.contains), _is_behind(query)

    def holds(defined: Defined, planned: Planned) -> bool:
        due, enabled = planned.plan.due, defined.enabled and not defined.paused
        return (
            (name_like is None or name_like.fullmatch(defined.name) is not None)
            and (query.source is None or defined.source == query.source)
            and (query.due_before is None or (due is not None and due < query.due_before))
            and (query.rules_before is None or planned.plan.rules < query.rules_before)
            and (query.enabled is None or query.enabled == enabled)
            and (query.paused is None or query.paused == defined.paused)
            and is_behind(defined.name, due)
            and (
                contains is None
                or contains.search(defined.name) is not None
                or any(map(contains.search, _tasks(defined)))
            )
            and (task_like is None or any(map(task_like.fullmatch, _tasks(defined))))
        )

    return holds


def _is_behind(query: Query) -> Callable[[str, datetime | None], bool]:
    # `after` is the last entry of the page before; the next page begins behind it.
    after = query.after
    if after is None:
        return lambda name, due: True
    begin, last = after.due, after.name
    if query.order == "name":
        return lambda name, due: name > last
    if begin is None:
        return lambda name, due: due is None and name > last
    return lambda name, due: due is None or (due, name) > (begin, last)


class _Definition(Struct):
    task: str = ""
    chain: tuple[Step, ...] = ()
    group: tuple[Step, ...] | Step = ()
    chord: Chord | None = None


_definition = json.Decoder(_Definition)


def _tasks(defined: Defined) -> tuple[str, ...]:
    try:
        found = _definition.decode(defined.definition)
    except MsgspecError:
        return ()
    return names_in(Step(found.task, found.chain, found.group, found.chord))


def in_order(rows: Iterable[Row], order: Literal["name", "next"]) -> list[Row]:
    """Return entries sorted by name or, for the order "next", by the time of the next run, then by
    name.

    Entries without a next run come last.
    """
    by_name = sorted(rows, key=lambda row: row[0].name)
    if order == "name":
        return by_name
    ahead = [(due, row) for row in by_name if (due := row[1].plan.due) is not None]
    ahead.sort(key=lambda soon: soon[0])
    return [row for _, row in ahead] + [row for row in by_name if row[1].plan.due is None]


def beginning(shell: str | None) -> str:
    """Return the part of a shell pattern before its first * or ?, such as "daily-" for "daily-*".

    Return "" if the pattern is None.
    """
    return re.split(r"[*?]", shell, maxsplit=1)[0] if shell else ""


def _pattern(shell: str | None) -> re.Pattern[str] | None:
    # Only * and ? are special; brackets match themselves, because names may contain brackets.
    if shell is None:
        return None
    meaning = {"*": ".*", "?": "."}
    return re.compile("".join(meaning.get(c) or re.escape(c) for c in shell), re.DOTALL)


def _inside(text: str | None) -> re.Pattern[str] | None:
    # Ignores the case of letters from a to z.
    return None if text is None else re.compile(re.escape(text), re.IGNORECASE | re.ASCII)
