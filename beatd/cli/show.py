"""Show one entry (`beatd show`)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

import click

from beatd.canvas import what_runs
from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.entry import PAYLOAD

NOT_COUNTED = " (runs by hand and backfills are not counted)"

if TYPE_CHECKING:
    from beatd.catalog import Stored
    from beatd.history import Record
    from beatd.ledger import Request


@click.command()
@click.argument("name", shell_complete=names_of_entries)
@as_json
@takes_store
def command(chosen: ChosenStore, name: str, json: bool) -> None:
    """Show one entry.

    Shows its fields, its last and next run, its requests and its owner. Times are in the zone of
    the configuration.
    """
    from beatd.cli.escapes import visible
    from beatd.cli.output import print_json, print_rich
    from beatd.daemon.failing_entries import failing_entries
    from beatd.edits.editing import row_of
    from beatd.edits.run_requests import pending_requests
    from beatd.views.entry_rows import json_of
    from beatd.views.outcome_rows import outcome_json, outcome_lines
    from beatd.why.time_words import is_by_hand

    with chosen.open(chosen.config_for_reading()) as opened:
        row, tz = row_of(opened.store.catalog, name), opened.config.timezone
        requests = [] if json else pending_requests(opened.store.requests, name)
        failed = None if json else failing_entries(opened.store.history, name).get(name)
        known = opened.outcomes_of([row]).get(name)
        if json:
            print_json({**json_of(row), **outcome_json(row, known, opened.now)})
            return
        newest = next(iter(opened.store.history.history(name, 1)), None)
        of_newest = NOT_COUNTED if newest is not None and is_by_hand(newest) else ""
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        became = list(outcome_lines(row, known, opened.now))
        for key, value in chain(_lines(row, failed, opened.now, tz), _pending(requests, tz)):
            if key == "runs":
                value = f"{value}{of_newest}"
                for heading, text, style in became:
                    table.add_row(Text(heading), Text(visible(text), style))
            table.add_row(Text(key), Text(visible(value), "red" if key == "failed" else ""))
        print_rich(Text(visible(name), "bold"))
        print_rich(table)


def _lines(
    row: "Stored", failed: "Record | None", now: datetime, tz: str
) -> Iterator[tuple[str, str]]:
    from msgspec import json

    from beatd.definition import json_plain_of
    from beatd.edits.editing import owner_text
    from beatd.schedules import describe, zone
    from beatd.schedules.moment import in_zone
    from beatd.views.entry_rows import next_cell, schedule_text
    from beatd.views.pause_text import pause_words
    from beatd.views.time_text import distance_text

    entry = row.entry
    schedule = entry.schedule.plain()
    yield ("task" if entry.canvas is None else "tasks"), what_runs(entry)
    words = describe(entry.schedule, entry.tz)
    words += "" if entry.tz in words else f", {entry.tz}"
    yield "when", f"{words}  ({schedule_text(schedule)})"
    home = zone(tz)
    cell = next_cell(row, now, tz)
    state = cell if isinstance(cell, str) else cell[0]
    if row.plan.planned is not None:
        local = in_zone(row.plan.planned, home)
        if row.plan.due is not None:
            state = f"{local:%a %Y-%m-%d %H:%M:%S %Z}, {state}"
        elif row.plan.planned <= now:
            state = f"{state}: {local:%a %Y-%m-%d %H:%M:%S %Z}"
    yield "next", state
    if (pause := pause_words(row, tz)) is not None:
        yield "paused", pause
    if row.last is not None:
        local = in_zone(row.last, home)
        how = ", failed" if failed else ""
        yield "last", f"{local:%a %Y-%m-%d %H:%M:%S %Z}, {distance_text(row.last - now)}{how}"
    if failed is not None:
        yield "failed", failed.reason
    yield "runs", str(row.runs)
    for key, value in json_plain_of(entry).items():
        if key not in schedule and key not in ("task", "tz"):
            text = isinstance(value, str) and key not in PAYLOAD
            yield key, value if text else json.encode(value).decode()
    yield "from", owner_text(entry)


def _pending(requests: "Iterable[Request]", tz: str) -> Iterator[tuple[str, str]]:
    from beatd.schedules.moment import to_milliseconds
    from beatd.views.time_text import moment_text

    for one in requests:
        first, last = (moment_text(to_milliseconds(each), tz) for each in (one.first, one.last))
        span = first if one.first == one.last else f"{first} to {last}"
        yield "requests", f"{one.kind}, {span}"
