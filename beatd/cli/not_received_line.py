"""Format the line of `beatd status` about entries whose last run no worker has received."""

from typing import Any

from beatd.cli.column_widths import cut_in_middle, text_width

NAMES_SHOWN_MAX = 5
NAME_MAX_WIDTH = 60


def not_received_line(found: dict[str, Any] | None) -> list[tuple[str, str, str]]:
    """Return (heading, text, style) of the line, or no line if workers received all last runs.

    `found` is "not_received" of `beatd status --json`; None, as of an older daemon, returns no
    line.
    """
    if found is None or not found["count"]:
        return []
    count = found["count"]
    names = [_short(one["entry"]) for one in found["entries"][:NAMES_SHOWN_MAX]]
    more = f" and {count - len(names)} more" if count > len(names) else ""
    least = "at least " if found["at_least"] else ""
    noun, whose = ("entry", "its") if count == 1 else ("entries", "their")
    text = f"{least}{count} {noun} ({', '.join(names)}{more}); no worker received {whose} last run"
    return [("not received", text, "yellow")]


def _short(name: str) -> str:
    return name if text_width(name) <= NAME_MAX_WIDTH else cut_in_middle(name, NAME_MAX_WIDTH)
