"""Print tables of any length in constant memory, through a pager on a terminal.

Rich is not used: it lays out a whole table before the first line, and is slow for each cell.
"""

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

import click

from beatd.cli.colours import may_have_colours
from beatd.cli.column_widths import (
    SEPARATOR,
    cut_at_end,
    cut_at_start,
    cut_in_middle,
    fitted,
    text_width,
)
from beatd.cli.escapes import visible

Cell = str | tuple[str, str]
ROWS_MEASURED = 1000  # for the widths of the columns
_ALIGNED_RIGHT = ("runs", "late")
#: How a text is cut in a column: both ends of a name, and the end of a task, tell it from others.
_CUTS = {"task": cut_at_start, "name": cut_in_middle, "entry": cut_in_middle}


def print_pages(
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    nothing: str | Callable[[], str],
    least: Mapping[str, int],
    left_out: Sequence[str] = (),
    title: str = "",
) -> None:
    """Print a table, or the text `nothing` on stderr if there are no rows.

    A function `nothing` returns that text; it is called only if there are no rows.

    A terminal also shows the lines of `title`. On a narrow one, the columns in `left_out` are left
    out in their order, and those in `least` are cut, as `fitted` explains. A pipe gets all text.
    """
    rest = iter(rows)
    first = list(islice(rest, ROWS_MEASURED))
    if not first:
        click.echo(nothing if isinstance(nothing, str) else nothing(), err=True)
        return
    width = terminal_width()
    lines = table_lines(columns, first, rest, width=width, least=least, left_out=left_out)
    if width is not None and title:
        lines = chain(_styled_lines(title), lines)
    print_lines(lines, at_least=len(first))


def print_lines(lines: Iterator[str], *, at_least: int) -> None:
    """Print the lines, through a pager if `at_least` lines do not fit the terminal."""
    if is_terminal() and at_least > shutil.get_terminal_size().lines - 3:
        click.echo_via_pager(lines)
        return
    for line in lines:
        sys.stdout.write(line)


def is_terminal() -> bool:
    return sys.stdout.isatty()


def terminal_width() -> int | None:
    """Return the number of columns of the terminal, or None if stdout is not a terminal."""
    return shutil.get_terminal_size().columns if is_terminal() else None


def _styled_lines(title: str) -> Iterator[str]:
    for line in title.splitlines():
        yield f"{_style(visible(line), 'dim') if may_have_colours() else visible(line)}\n"


def table_lines(
    columns: Sequence[str],
    first: Sequence[Sequence[Cell]],
    rest: Iterable[Sequence[Cell]],
    *,
    width: int | None,
    least: Mapping[str, int],
    left_out: Sequence[str] = (),
) -> Iterator[str]:
    """Yield the lines of a table: its header, a rule, and the rows of `first` and `rest`.

    The rows of `first` decide on the widths. `rest` is read while the lines are. A column that is
    empty in `first` is left out if there are fewer than ROWS_MEASURED rows. `width` is that of the
    terminal, or None to cut nothing and to use no colours.
    """
    first, rest = [_visible(row) for row in first], map(_visible, rest)
    some = len(first) < ROWS_MEASURED
    natural = {
        name: max(len(name), *(text_width(_text(row[at])) for row in first))
        for at, name in enumerate(columns)
        if not some or any(row[at] for row in first)
    }
    widths = natural if width is None else fitted(natural, width, least, left_out)
    styled = width is not None and may_have_colours()
    last = list(widths)[-1]
    places = {name: columns.index(name) for name in widths}

    def line(row: Sequence[Cell], style: str = "") -> str:
        cells = []
        for name, space in widths.items():
            value = row[places[name]]
            text, own = (value, style) if isinstance(value, str) else value
            length = text_width(text)
            if width is not None and length > space:
                text = _CUTS.get(name, cut_at_end)(text, space)
                length = text_width(text)
            blanks = " " * (space - length)
            if styled and own:
                text = _style(text, own)
            if name in _ALIGNED_RIGHT:
                cells.append(blanks + text)
            else:
                cells.append(text if name == last else text + blanks)
        return SEPARATOR.join(cells).rstrip() + "\n"

    yield line(columns, "bold")
    rule = _dash() * (sum(widths.values()) + len(SEPARATOR) * (len(widths) - 1))
    yield f"{_style(rule, 'dim') if styled else rule}\n"
    for row in chain(first, rest):
        yield line(row)


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


def _style(text: str, style: str) -> str:
    if style == "bold":
        return click.style(text, bold=True)
    return click.style(text, dim=True) if style == "dim" else click.style(text, fg=style)
