"""The lines that `beatd next` prints about an entry, each computed when it is printed."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice

from beatd.cli.entry_warnings import croniter_difference
from beatd.cli.escapes import visible
from beatd.cli.paged_table import styled, table_lines, terminal_width
from beatd.entry import Entry
from beatd.schedules import clock_change, describe, may_have_clock_changes, zone
from beatd.schedules.moment import fraction_digits, wall_text
from beatd.views.next_runs import runs_after
from beatd.views.time_text import distance_text

FIRST_RUNS = 50  # that are computed before the first line is printed
#: Widths of texts that may come after the first runs.
ZONE_WIDTH, DISTANCE_WIDTH = len("CEST +02:00"), len("in 1234 d 12 h")
MICROSECONDS_WIDTH = len("2027-01-01 09:00:00.123456")  # what follows is the offset


def title_line(entry: Entry, name: str, stopped: str) -> str:
    """Return the line above the runs: the name ("" for none), the schedule, its zone, and why no
    run comes (`stopped`, "" if they do)."""
    words = visible(describe(entry.schedule, entry.tz))
    text = f"{styled(visible(name), 'bold')}  {words}" if name else words
    if entry.tz not in f"{name}  {words}":
        text += styled(f", {visible(entry.tz)}", "dim")
    if stopped:
        text += f"  {styled(visible(stopped), 'yellow')}"
    return f"{text}\n"


def run_lines(entry: Entry, after: datetime, count: int, now: datetime) -> Iterator[str]:
    """Yield the lines of a table of up to `count` runs later than `after`, and of notes below."""
    runs = runs_after(entry, after)
    first = list(islice(runs, min(count, FIRST_RUNS)))
    is_long = count > len(first) == FIRST_RUNS
    has_marks = is_long and may_have_clock_changes(entry.schedule)
    has_marks = has_marks or any(clock_change(entry.schedule, moment) for moment in first)
    if first:
        digits = fraction_digits(first)
        rows = partial(_rows, entry, now=now, digits=digits, has_marks=has_marks, pads=is_long)
        columns = ["local", "zone", "UTC", "in", *(["clock change"] if has_marks else [])]
        yield from table_lines(
            columns,
            list(rows(first)),
            rows(islice(runs, count - len(first))),
            width=terminal_width(),
            least={},
            left_out=("UTC", "zone"),
            keep_empty=True,
        )
    is_over = next(runs, None) is None
    for note in (*_notes(entry, is_over, bool(first)), croniter_difference(entry, now)):
        if note:
            yield f"{styled(visible(note), 'yellow')}\n"


def _rows(
    entry: Entry,
    runs: Iterable[datetime],
    *,
    now: datetime,
    digits: int,
    has_marks: bool,
    pads: bool,
) -> Iterator[list[str | tuple[str, str]]]:
    home = zone(entry.tz)
    for moment in runs:
        local = moment.astimezone(home)
        wall = wall_text(local, digits)
        name, offset = f"{local:%Z}", local.isoformat(" ", "microseconds")[MICROSECONDS_WIDTH:]
        # The name of a zone without letters is its offset, which is shown once.
        where = f"{name} {offset}" if name.isalpha() else offset
        distance = distance_text(moment - now)
        yield [
            f"{local:%a} {wall}",
            where.ljust(ZONE_WIDTH) if pads else where,
            (f"{wall_text(moment.astimezone(UTC), digits)} UTC", "dim"),
            distance.ljust(DISTANCE_WIDTH) if pads else distance,
            *([(clock_change(entry.schedule, moment) or "", "yellow")] if has_marks else []),
        ]


def _notes(entry: Entry, is_over: bool, has_runs: bool) -> Iterator[str]:
    if is_over:
        yield "and never again" if has_runs else "never again"
    if entry.jitter:
        yield f"each up to {distance_text(entry.jitter).removeprefix('in ')} later (jitter)"
    if entry.max_runs is not None:
        yield f"finished after {entry.max_runs} runs in all"
