"""Format the lines of `beatd status` about paused entries."""

from collections.abc import Callable
from typing import Any

from beatd.cli.column_widths import cut_at_end, cut_in_middle, text_width

NAME_MAX_WIDTH = 60
NOTE_MAX_WIDTH = 80


def paused_lines(
    paused: dict[str, Any] | None, at: Callable[[str], str]
) -> list[tuple[str, str, str]]:
    """Return (heading, text, style) of each line: the number of paused entries, then the first.

    `paused` is "paused" of `beatd status --json`; None, as of an older daemon, returns no lines.
    `at` formats a moment of JSON.
    """
    if paused is None or not paused["count"]:
        return []
    least, count, shown = (
        "at least " if paused["at_least"] else "",
        paused["count"],
        paused["entries"],
    )
    more = "; `beatd list --paused` shows all" if count > len(shown) else ""
    return [
        ("paused", f"{least}{count}{more}", "yellow"),
        *(("", _text(one, at), "yellow") for one in shown),
    ]


def _text(one: dict[str, Any], at: Callable[[str], str]) -> str:
    name, note = one["entry"], one["note"]
    if text_width(name) > NAME_MAX_WIDTH:
        name = cut_in_middle(name, NAME_MAX_WIDTH)
    if text_width(note) > NOTE_MAX_WIDTH:
        note = cut_at_end(note, NOTE_MAX_WIDTH)
    until = f" until {at(one['until'])}" if one["until"] else ""
    by = f", by {one['by']}" if one["by"] else ""
    return f"{name}{until}{by}{f': {note}' if note else ''}"
