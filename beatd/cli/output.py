"""What commands print: tables for people, JSON for programs."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
from msgspec import json


def print_json(value: Any) -> None:
    """Indented, with datetimes as ISO 8601."""
    click.echo(json.format(json.encode(value), indent=2).decode())


def stream_json(values: Iterable[Any]) -> None:
    """A JSON list, printed while it is made: one value a line, memory does not grow with it."""
    before = "[\n"
    for value in values:
        sys.stdout.write(before + json.encode(value).decode())
        before = ",\n"
    sys.stdout.write("[]\n" if before == "[\n" else "\n]\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str | tuple[str, str]]]) -> None:
    """A cell is text, or text and its style; never cut, so that grep and awk find all of it."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        # On a narrow terminal the last column is folded, and the others stay whole.
        table.add_column(Text(column), no_wrap=column is not columns[-1], overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else Text(*cell) for cell in row))
    print_rich(table)


def print_rich(thing: Any) -> None:
    """Text without styles where stdout is no terminal, and without the blanks that rich adds."""
    from rich.console import Console

    tty = sys.stdout.isatty()
    console = Console(
        file=sys.stdout, width=None if tty else 10_000, highlight=False, emoji=False, markup=False
    )
    with console.capture() as capture:
        console.print(thing)
    click.echo("\n".join(line.rstrip() for line in capture.get().rstrip("\n").split("\n")))
