"""Tables of any length: in pages on a terminal, streamed elsewhere; memory does not grow."""

import io
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

import click

Cell = str | tuple[str, str]
AT_ONCE = 1000


def print_pages(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, nothing: str, bends: str = ""
) -> None:
    """`nothing` is said when there is no row. On a terminal, cells of the column that `bends` are
    cut before those of others are."""
    rest = iter(rows)
    first = list(islice(rest, AT_ONCE))
    if not first:
        click.echo(nothing, err=True)
        return
    tables = (_table(columns, part, bends) for part in chain([first], _parts(rest)))
    tall = shutil.get_terminal_size().lines - 3
    if sys.stdout.isatty() and len(first) > tall:
        click.echo_via_pager(tables)
        return
    for table in tables:
        click.echo(table, nl=False)


def _parts(rest: Iterator[Sequence[Cell]]) -> Iterator[list[Sequence[Cell]]]:
    while part := list(islice(rest, AT_ONCE)):
        yield part


def _table(columns: Sequence[str], rows: Iterable[Sequence[Cell]], bends: str) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    tty = sys.stdout.isatty()
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        right = column in ("runs", "late")
        table.add_column(
            Text(column),
            no_wrap=True,
            overflow="ellipsis" if tty else "ignore",
            justify="right" if right else "left",
            ratio=None,
            min_width=None if column == bends else min(12, len(column)),
        )
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else Text(*cell) for cell in row))
    console = Console(
        file=io.StringIO(),
        force_terminal=tty,
        width=shutil.get_terminal_size().columns if tty else 100_000,
        highlight=False,
        emoji=False,
        markup=False,
    )
    with console.capture() as capture:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
