"""Tables of any length: in pages on a terminal, streamed elsewhere; memory does not grow.

Not rich's: it lays out a whole table before its first line, and takes its time for each cell.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

import click

from beatd.cli.escapes import visible

Cell = str | tuple[str, str]
MEASURED = 1000  # rows that the widths are taken from
BETWEEN = "   "
NARROWEST = 12
_RIGHT = ("runs", "late")
_END_TELLS = ("task",)  # what sets it apart from others comes last


def print_pages(
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    nothing: str,
    bends: Sequence[str] = (),
) -> None:
    """`nothing` is said when there is no row. On a narrow terminal cells of the columns that bend
    are cut, the first of them first; in a pipe nothing is."""
    rest = map(_visible, rows)
    first = list(islice(rest, MEASURED))
    if not first:
        click.echo(nothing, err=True)
        return
    tty, size = sys.stdout.isatty(), shutil.get_terminal_size()
    lines = _lines(columns, first, rest, bends, size.columns if tty else None)
    if tty and len(first) > size.lines - 3:
        click.echo_via_pager(lines)
        return
    for line in lines:
        sys.stdout.write(line)


def _lines(
    columns: Sequence[str],
    first: Sequence[Sequence[Cell]],
    rest: Iterator[Sequence[Cell]],
    bends: Sequence[str],
    width: int | None,
) -> Iterator[str]:
    # A column that nothing stands in is left out, where all rows are known.
    some = len(first) < MEASURED
    kept = [at for at in range(len(columns)) if not some or any(row[at] for row in first)]
    widths = {at: max(len(columns[at]), *(_length(_text(row[at])) for row in first)) for at in kept}
    if width is not None:
        for name in bends:
            too_wide = sum(widths.values()) + len(BETWEEN) * (len(widths) - 1) - width
            at = columns.index(name)
            if too_wide > 0 and at in widths:
                widths[at] = max(min(NARROWEST, widths[at]), widths[at] - too_wide)
    styled = width is not None and not os.environ.get("NO_COLOR")
    right = {at for at in kept if columns[at] in _RIGHT}
    last = kept[-1]

    def line(row: Sequence[Cell], style: str = "") -> str:
        cells = []
        for at in kept:
            value = row[at]
            text, own = (value, style) if isinstance(value, str) else value
            length = _length(text)
            if width is not None and length > widths[at]:
                text = _cut(text, widths[at], keep_end=columns[at] in _END_TELLS)
                length = _length(text)
            blanks = " " * (widths[at] - length)
            if styled and own:
                text = _style(text, own)
            if at in right:
                cells.append(blanks + text)
            else:
                cells.append(text if at == last else text + blanks)
        return BETWEEN.join(cells).rstrip() + "\n"

    yield line(columns, "bold")
    rule = _dash() * (sum(widths.values()) + len(BETWEEN) * (len(widths) - 1))
    yield f"{_style(rule, 'dim') if styled else rule}\n"
    for row in chain(first, rest):
        yield line(row)


def _dash() -> str:
    """A line, or what stands for it where the terminal's encoding has none."""
    try:
        "─".encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return "-"
    return "─"


def _visible(row: Sequence[Cell]) -> list[Cell]:
    return [visible(c) if isinstance(c, str) else (visible(c[0]), c[1]) for c in row]


def _text(value: Cell) -> str:
    return value if isinstance(value, str) else value[0]


def _length(text: str) -> int:
    """In columns of a terminal, where some letters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _cut(text: str, width: int, *, keep_end: bool = False) -> str:
    if keep_end:
        return _cut(text[::-1], width)[::-1]
    if text.isascii():
        return f"{text[: width - 1].rstrip()}…"
    from rich.cells import set_cell_size

    return f"{set_cell_size(text, width - 1).rstrip()}…"


def _style(text: str, style: str) -> str:
    if style == "bold":
        return click.style(text, bold=True)
    return click.style(text, dim=True) if style == "dim" else click.style(text, fg=style)
