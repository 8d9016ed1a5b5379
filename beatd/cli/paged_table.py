"""Print tables of any length in constant memory, through a pager on a terminal.

Rich is not used: it lays out a whole table before the first line, and is slow for each cell.
"""

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice

import click

from beatd.cli.colours import may_have_colours
from beatd.cli.escapes import visible

Cell = str | tuple[str, str]
ROWS_MEASURED = 1000  # for the widths of the columns
SEPARATOR = "   "
CUT_COLUMN_MIN_WIDTH = 12
READABLE_WIDTH = 40
CUT_NAME_WIDTH = 24  # of the other columns, while the readable one has its width
_ALIGNED_RIGHT = ("runs", "late")
_CUT_AT_START = ("task",)  # the end of a task's name tells it from others


def print_pages(
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    nothing: str | Callable[[], str],
    cut: Sequence[str] = (),
    left_out: Sequence[str] = (),
    readable: str = "",
) -> None:
    """Print a table, or the text `nothing` on stderr if there are no rows.

    A function `nothing` returns that text; it is called only if there are no rows.

    On a narrow terminal, the columns in `cut` are shortened first, in their order. Then the columns
    in `left_out` are dropped, also to keep the column `readable` READABLE_WIDTH wide. A pipe gets
    all text.
    """
    rest = map(_visible, rows)
    first = list(islice(rest, ROWS_MEASURED))
    if not first:
        click.echo(nothing if isinstance(nothing, str) else nothing(), err=True)
        return
    tty, size = is_terminal(), shutil.get_terminal_size()
    lines = _lines(columns, first, rest, cut, left_out, readable, size.columns if tty else None)
    if tty and len(first) > size.lines - 3:
        click.echo_via_pager(lines)
        return
    for line in lines:
        sys.stdout.write(line)


def is_terminal() -> bool:
    return sys.stdout.isatty()


def _lines(
    columns: Sequence[str],
    first: Sequence[Sequence[Cell]],
    rest: Iterator[Sequence[Cell]],
    cut: Sequence[str],
    left_out: Sequence[str],
    readable: str,
    width: int | None,
) -> Iterator[str]:
    # An empty column is left out, if all rows are known.
    some = len(first) < ROWS_MEASURED
    kept = [at for at in range(len(columns)) if not some or any(row[at] for row in first)]
    widths = {at: max(len(columns[at]), *(_length(_text(row[at])) for row in first)) for at in kept}
    if width is not None:
        _fit(columns, widths, width, cut, left_out, readable)
        kept = list(widths)
    styled = width is not None and may_have_colours()
    right = {at for at in kept if columns[at] in _ALIGNED_RIGHT}
    last = kept[-1]

    def line(row: Sequence[Cell], style: str = "") -> str:
        cells = []
        for at in kept:
            value = row[at]
            text, own = (value, style) if isinstance(value, str) else value
            length = _length(text)
            if width is not None and length > widths[at]:
                text = _cut(text, widths[at], keep_end=columns[at] in _CUT_AT_START)
                length = _length(text)
            blanks = " " * (widths[at] - length)
            if styled and own:
                text = _style(text, own)
            if at in right:
                cells.append(blanks + text)
            else:
                cells.append(text if at == last else text + blanks)
        return SEPARATOR.join(cells).rstrip() + "\n"

    yield line(columns, "bold")
    rule = _dash() * (sum(widths.values()) + len(SEPARATOR) * (len(widths) - 1))
    yield f"{_style(rule, 'dim') if styled else rule}\n"
    for row in chain(first, rest):
        yield line(row)


def _fit(
    columns: Sequence[str],
    widths: dict[int, int],
    width: int,
    cut: Sequence[str],
    left_out: Sequence[str],
    readable: str,
) -> None:
    """Narrow or remove columns in `widths` until a line fits `width`."""

    def too_wide() -> int:
        return sum(widths.values()) + len(SEPARATOR) * (len(widths) - 1) - width

    main = columns.index(readable) if readable else None
    for name in left_out:
        if main in widths and widths[main] - too_wide() < min(READABLE_WIDTH, widths[main]):
            widths.pop(columns.index(name), None)
    others = [name for name in cut if name != readable]
    steps = [(readable, READABLE_WIDTH)] if readable else []
    steps += [(name, CUT_NAME_WIDTH) for name in others] if readable else []
    steps += [(name, CUT_COLUMN_MIN_WIDTH) for name in cut]
    for name, least in steps:
        at, excess = columns.index(name), too_wide()
        if excess > 0 and at in widths:
            widths[at] = max(min(least, widths[at]), widths[at] - excess)
    for name in left_out:
        if too_wide() > 0:
            widths.pop(columns.index(name), None)


def _dash() -> str:
    """Return "─", or "-" if the terminal cannot show "─"."""
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
    """Return the width of the text in terminal columns; some characters fill two."""
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
