"""The lines that `beatd diff` prints for people."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import click

from beatd.cli.differences import print_difference
from beatd.cli.escapes import visible
from beatd.cli.paged_table import styled
from beatd.definition import plain_of
from beatd.entry import Entry
from beatd.schedules import zone
from beatd.schedules.clock_nights import ClockNight
from beatd.schedules.duration import length_text
from beatd.views.run_changes import RunChanges
from beatd.views.set_changes import RUNS_COMPARED_MAX, EntryChange, SetChanges

NAMES_SHOWN_MAX = 3
LINES_MAX = 20  # of a section below the runs
_EFFECTS = {
    "moved": "does not exist: runs at {then}",
    "skipped": "does not exist: does not run",
    "twice": "comes twice: runs twice",
}


def print_changes(changes: SetChanges, tz: str, count: int) -> None:
    """Print the differences, with at most `count` runs of each entry and kind of change.

    `tz` is the zone of the range and of the herds; runs are in the zone of their entry.
    """
    parts = (("added", False, True), ("gone", True, False), ("changed", True, True))
    words = [
        f"{len(changes.of(before=old, after=new))} {word}"
        for word, old, new in parts
        if changes.of(before=old, after=new)
    ]
    click.echo(f"entries: {', '.join([*words, f'{changes.unchanged} unchanged'])}")
    for change in changes.entries:
        print_difference(change.name, _plain(change.before), _plain(change.after))
    if not changes.entries:
        return
    click.echo()
    for line in _run_lines(changes, tz, count):
        click.echo(line)


def _plain(entry: Entry | None) -> dict[str, object] | None:
    return None if entry is None else plain_of(entry)


def _run_lines(changes: SetChanges, tz: str, count: int) -> Iterator[str]:
    found = [(one, one.runs) for one in changes.entries if one.runs is not None]
    totals = {
        "added": sum(len(runs.added) for _, runs in found),
        "gone": sum(len(runs.gone) for _, runs in found),
        "moved": sum(len(runs.moved) for _, runs in found),
    }
    words = ", ".join(f"{many} {word}" for word, many in totals.items() if many)
    span = f"{_moment(changes.since, tz)} to {_moment(changes.end, tz)} {tz}"
    yield styled(f"runs from {span}:", "bold")
    whole = all(runs.complete for _, runs in found)
    yield f"{words or 'none changes'}{'' if whole else ', in the part that is compared'}"
    for change, runs in found:
        yield from _lines_of(change, runs, count)
    yield from _not_compared([one.name for one in changes.entries if not one.is_counted])
    yield from _often_lines(found)
    yield from _herd_lines(changes, tz)
    yield from _night_lines(changes.entries)


def _lines_of(change: EntryChange, runs: RunChanges, count: int) -> Iterator[str]:
    tz = change.newer.tz
    kinds: list[tuple[str, str, str, list[str], int]] = [
        ("~", "moved", "yellow", [_move(*p, tz) for p in runs.moved[:count]], len(runs.moved)),
        ("-", "gone", "red", [_moment(m, tz) for m in runs.gone[:count]], len(runs.gone)),
        ("+", "added", "green", [_moment(m, tz) for m in runs.added[:count]], len(runs.added)),
    ]
    words = ", ".join(f"{many} {word}" for _, word, _, _, many in kinds if many)
    part = "" if runs.complete else f", compared up to {_moment(runs.until, tz)}"
    if words or part:
        yield f"{visible(change.name)}: {words or 'none changes'}{part}, {tz}"
    for mark, word, colour, lines, many in kinds:
        for line in lines:
            yield styled(f"  {mark} {line}", colour)
        if lines and many > len(lines):
            yield styled(f"  {mark} and {many - len(lines)} more {word}", colour)


def _not_compared(names: Sequence[str]) -> Iterator[str]:
    if names:
        more = len(names) - NAMES_SHOWN_MAX
        some = ", ".join(map(visible, names[:NAMES_SHOWN_MAX]))
        yield styled(
            f"{RUNS_COMPARED_MAX:,} runs are compared at most; fewer --days compare more entries\n"
            f"not compared: {some}{f' and {more} more' if more > 0 else ''}",
            "yellow",
        )


def _often_lines(found: Sequence[tuple[EntryChange, RunChanges]]) -> Iterator[str]:
    def lines(chosen: Callable[[EntryChange], bool]) -> list[str]:
        return [
            f"{visible(change.name)}: {'' if runs.complete else 'about '}{runs.after:,} runs "
            f"instead of {runs.before:,}"
            for change, runs in found
            if chosen(change)
        ]

    yield from _section("far more often:", lines(lambda change: change.far_more_often))
    yield from _section("far less often:", lines(lambda change: change.far_less_often))


def _herd_lines(changes: SetChanges, tz: str) -> Iterator[str]:
    lines = [
        f"{_moment(herd.moment, tz)}: {herd.after:,} runs instead of {herd.before:,}"
        for herd in changes.herds
    ]
    if changes.more_herds:
        lines.append(f"and {changes.more_herds:,} more seconds with fewer new runs")
    yield from _section(f"many runs in one second, {tz}:", lines)


def _night_lines(entries: Sequence[EntryChange]) -> Iterator[str]:
    yield from _section(
        "when clocks change:",
        [
            f"{visible(change.name)}: {_night(night)}, {change.newer.tz}"
            for change in entries
            for night in change.nights
        ],
    )


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield styled(f"\n{title}", "bold")
    yield from (f"  {line}" for line in lines[:LINES_MAX])
    if len(lines) > LINES_MAX:
        yield f"  and {len(lines) - LINES_MAX:,} more; --json has all"


def _night(night: ClockNight) -> str:
    then = f"{night.then:%H:%M}"
    return f"{night.wall:%a %Y-%m-%d %H:%M} {_EFFECTS[night.effect].format(then=then)}"


def _move(old: datetime, new: datetime, tz: str) -> str:
    shift = abs(new - old) / timedelta(seconds=1)
    length = length_text(shift) if shift >= 1 else f"{shift:.3f} s"
    return (
        f"{_moment(old, tz)} -> {_moment(new, tz)}, {length} {'later' if new > old else 'earlier'}"
    )


def _moment(moment: datetime, tz: str) -> str:
    local = moment.astimezone(zone(tz))
    seconds = f"{local:%S}" if not local.microsecond else f"{local:%S}.{local:%f}".rstrip("0")
    return f"{local:%a %Y-%m-%d %H:%M}{'' if seconds == '00' else f':{seconds}'}"
