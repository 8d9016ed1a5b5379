"""The common part of the commands `pause` and `resume`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from beatd.cli.escapes import echo

if TYPE_CHECKING:
    from beatd.catalog import Stored


def print_edited(
    names: Sequence[str],
    edited: Collection[str],
    after: "Mapping[str, Stored]",
    done: str,
    was_so: str,
    *,
    json: bool,
    now: datetime,
    tz: str,
) -> None:
    """Print a line for each entry that was paused or resumed, or that was so already.

    `edited` has the names of the changed entries, and `after` the rows of all. `done` is the word
    for a changed entry, such as "paused"; `was_so` describes an unchanged one: "was paused
    already". The end of a pause is shown in the zone `tz`.
    """
    from beatd.cli.output import print_json
    from beatd.views.pause_text import end_text

    if json:
        print_json({done: list(edited)})
        return
    for name in dict.fromkeys(names):
        line = f"{done} {name}" if name in edited else f"{name} {was_so}"
        row = after.get(name)
        if row is not None and row.pause is not None and row.pause.until is not None:
            line += f" until {end_text(row.pause.until, now, tz)}"
        stopped = row is not None and not row.entry.enabled
        echo(f"{line}; it is disabled, and does not run" if stopped else line)
