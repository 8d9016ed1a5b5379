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


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Cells may hold rich markup; cut to the terminal's width, never cut in a pipe."""
    from rich import box
    from rich.table import Table

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row)
    print_rich(table)


def print_rich(*things: Any) -> None:
    from rich.console import Console

    # A pipe has no width: what is cut there is lost to grep and awk.
    width = None if sys.stdout.isatty() else 10_000
    console = Console(file=sys.stdout, width=width, highlight=False, emoji=False)
    console.print(*things, end="")
