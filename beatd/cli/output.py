"""Print the results of commands, as tables for people or as JSON for programs."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
from msgspec import json

from beatd.cli.escapes import visible


def print_json(value: Any) -> None:
    """Print a value as indented JSON, with datetimes as ISO 8601 text."""
    click.echo(json.format(json.encode(value), indent=2).decode())


def stream_json(values: Iterable[Any]) -> bool:
    """Print values as a JSON list, each value on a line as soon as it is available.

    The whole list is never in memory. Return True if there was a value.
    """
    before = start = "[\n"
    for value in values:
        sys.stdout.write(before + json.encode(value).decode())
        before = ",\n"
    sys.stdout.write("[]\n" if before == start else "\n]\n")
    return before != start


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str | tuple[str, str]]]) -> None:
    """Print a table; each cell is a text or a (text, style) pair.

    No cell is shortened, so that grep finds the whole text.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(Text(column), no_wrap=column is not columns[-1], overflow="fold")
    widths = [len(column) for column in columns]
    for row in rows:
        pairs = [(cell, "") if isinstance(cell, str) else cell for cell in row]
        cells = [Text(visible(text), style) for text, style in pairs]
        widths = [max(pair) for pair in zip(widths, (c.cell_len for c in cells), strict=True)]
        table.add_row(*cells)
    # On a narrow terminal the last column is folded; the terminal wraps the others.
    print_rich(table, least=sum(widths[:-1]) + 3 * len(widths) + min(widths[-1], 24))


def print_rich(thing: Any, least: int = 0) -> None:
    """Print an object of the rich library, at least `least` columns wide.

    If stdout is not a terminal, the text is not styled and no line is folded.
    """
    from rich.console import Console

    # A pipe has no width: grep would not find text that is folded.
    console = Console(file=sys.stdout, highlight=False, emoji=False, markup=False)
    console.width = max(console.width, least) if sys.stdout.isatty() else 10_000
    with console.capture() as capture:
        console.print(thing)
    click.echo("\n".join(line.rstrip() for line in capture.get().rstrip("\n").split("\n")))
