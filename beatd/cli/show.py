"""beatd show"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from beatd.cli.given import as_json
from beatd.cli.opened import Asked, takes_store

if TYPE_CHECKING:
    from beatd.catalog import Stored


@click.command()
@click.argument("name")
@as_json
@takes_store
def command(asked: Asked, name: str, json: bool) -> None:
    """Show one entry: what it is, when it runs, whose it is."""
    from beatd.cli.output import print_json, print_rich
    from beatd.cli.rows import json_of
    from beatd.editing import row_of

    with asked.open() as opened:
        row = row_of(opened.store, name)
        if json:
            print_json(json_of(row))
            return
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for key, value in _lines(row, opened.now):
            table.add_row(Text(key), Text(value))
        print_rich(Text(name, "bold"))
        print_rich(table)


def _lines(row: "Stored", now: datetime) -> Iterator[tuple[str, str]]:
    from msgspec import json

    from beatd.cli.next import until
    from beatd.cli.rows import next_cell, schedule_text
    from beatd.definition import plain_of
    from beatd.editing import whose_it_is
    from beatd.schedules import describe, zone

    entry = row.entry
    schedule = entry.schedule.plain()
    yield "task", entry.task
    words = describe(entry.schedule)
    words += "" if entry.tz in words else f", {entry.tz}"
    yield "when", f"{words}  ({schedule_text(schedule)})"
    home = zone(entry.tz)
    cell = next_cell(row, now)
    state = cell if isinstance(cell, str) else cell[0]
    if row.plan.planned is not None:
        local = row.plan.planned.astimezone(home)
        state = f"{local:%a %Y-%m-%d %H:%M:%S %Z}, {state}"
    yield "next", state
    if row.last is not None:
        local = row.last.astimezone(home)
        yield "last", f"{local:%a %Y-%m-%d %H:%M:%S %Z}, {until(row.last - now)}"
    yield "runs", str(row.runs)
    for key, value in plain_of(entry).items():
        if key not in schedule and key not in ("task", "tz"):
            text = isinstance(value, str) and key not in ("args", "kwargs", "options")
            yield key, value if text else json.encode(value).decode()
    yield "from", whose_it_is(entry)
