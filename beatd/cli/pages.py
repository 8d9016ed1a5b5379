"""Tables of any length: in pages on a terminal, streamed elsewhere; memory does not grow."""

import io
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

import click

Cell = str | tuple[str, str]
AT_ONCE = 1000
BETWEEN = 3  # blanks between two columns
NARROWEST = 12


def print_pages(
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    nothing: str,
    bends: Sequence[str] = (),
) -> None:
    """`nothing` is said when there is no row. On a narrow terminal cells of the columns that bend
    are cut, the first of them first; in a pipe nothing is."""
    rest = iter(rows)
    first = list(islice(rest, AT_ONCE))
    if not first:
        click.echo(nothing, err=True)
        return
    # A column that nothing stands in is left out, where all rows are known.
    whole = len(first) < AT_ONCE
    kept = [at for at in range(len(columns)) if not whole or any(row[at] for row in first)]
    columns = [columns[at] for at in kept]
    tables = (
        _table(columns, [[row[at] for at in kept] for row in part], bends)
        for part in chain([first], _parts(rest))
    )
    size = shutil.get_terminal_size()
    if sys.stdout.isatty() and len(first) > size.lines - 3:
        click.echo_via_pager(tables)
        return
    for table in tables:
        click.echo(table, nl=False)


def _parts(rest: Iterator[Sequence[Cell]]) -> Iterator[list[Sequence[Cell]]]:
    while part := list(islice(rest, AT_ONCE)):
        yield part


def _table(columns: Sequence[str], rows: Sequence[Sequence[Cell]], bends: Sequence[str]) -> str:
    from rich import box
    from rich.cells import cell_len, set_cell_size
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    tty = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if tty else 100_000
    widths = [
        max(len(name), *(cell_len(_words(row[at])) for row in rows))
        for at, name in enumerate(columns)
    ]
    for name in bends:
        too_wide = sum(widths) + BETWEEN * (len(widths) - 1) - width
        if too_wide > 0 and name in columns:
            at = columns.index(name)
            widths[at] = max(min(NARROWEST, widths[at]), widths[at] - too_wide)

    def cell(at: int, value: Cell) -> Text:
        text, style = (value, "") if isinstance(value, str) else value
        if cell_len(text) > widths[at]:
            text = f"{set_cell_size(text, widths[at] - 1).rstrip()}…"
        return Text(text, style)

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        right = column in ("runs", "late")
        table.add_column(Text(column), no_wrap=True, justify="right" if right else "left")
    for row in rows:
        table.add_row(*(cell(at, value) for at, value in enumerate(row)))
    total = sum(widths) + BETWEEN * len(widths)
    console = Console(
        file=io.StringIO(),
        force_terminal=tty,
        width=max(width, total),  # what is still too wide runs on, rather than being lost
        highlight=False,
        emoji=False,
        markup=False,
    )
    with console.capture() as capture:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _words(value: Cell) -> str:
    return value if isinstance(value, str) else value[0]
