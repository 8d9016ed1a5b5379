"""Log lines about entries that somebody paused or resumed."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from beatd.events import PausesChanged

NAMES_SHOWN_MAX = 20

Line = tuple[int, str, dict[str, Any]]  # level, text, facts


def lines_of_pauses(
    event: PausesChanged, time_text: Callable[[datetime], str] = datetime.isoformat
) -> list[Line]:
    """Return the log line about entries that were paused or resumed: by whom, until when, why."""
    author, until, names = event.author, event.until, event.names
    more, least = len(names) - NAMES_SHOWN_MAX, "at least " if event.at_least else ""
    text = f"{event.action}: {', '.join(names[:NAMES_SHOWN_MAX])}"
    text += f" and {least}{more} more" if more > 0 else ""
    text += f", until {time_text(until)}" if until is not None else ""
    text += f", by {author.name}" if author.name else ""
    text += f": {author.note}" if author.note else ""
    facts = {
        "entry": names[0], "entries": len(names), "action": event.action, "by": author.name,
        "via": author.via, "until": None if until is None else until.isoformat(),
        "note": author.note,
    }  # fmt: skip
    return [(logging.INFO, text, facts)]
