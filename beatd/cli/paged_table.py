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
) -> bool:
    """Print a table, or the text `nothing` on stderr if there are no rows.

    Return True if there was a row. A function `nothing` returns that text; it is called only if
    there are no rows.

    A terminal also shows the lines of `title`. On a narrow one, the columns in `left_out` are left
    out in their order, and those in `least` are cut, as `fitted` explains. A pipe gets all text.
    """
    rest = iter(rows)
    first = list(islice(rest, ROWS_MEASURED))
    if not first:
        click.echo(nothing if isinstance(nothing, str) else nothing(), err=True)
        return False
    width = terminal_width()
    lines = table_lines(
        columns,
        first,
        rest,
        width=width,
        least=least,
        left_out=left_out,
        keep_empty=len(first) == ROWS_MEASURED,
    )
    shown_title = title.splitlines() if width is not None else []
    print_lines(chain((f"{styled(visible(line), 'dim')}\n" for line in shown_title), lines))
    return True


def print_lines(lines: Iterable[str]) -> None:
    """Print the lines as they come, through a pager if they do not fit the terminal."""
    rest = iter(lines)
    if is_terminal():
        height = shutil.get_terminal_size().lines
        first = list(islice(rest, height))
        rest = chain(first, rest)
        if len(first) == height:
            click.echo_via_pager(rest)
            return
    for line in rest:
        sys.stdout.write(line)


def is_terminal() -> bool:
    return sys.stdout.isatty()


def terminal_width() -> int | None:
    """Return the number of columns of the terminal, or None if stdout is not a terminal."""
    return shutil.get_terminal_size().columns if is_terminal() else None


def styled(text: str, style: str) -> str:
    """Return the text in a style such as "bold" or "red", unless stdout is to have no colours."""
    if not (style and is_terminal() and may_have_colours()):
        return text
    if style == "bold":
        return click.style(text, bold=True)
    return click.style(text, dim=True) if style == "dim" else click.style(text, fg=style)


def table_lines(
    columns: Sequence[str],
    first: Sequence[Sequence[Cell]],
    rest: Iterable[Sequence[Cell]],
    *,
    width: int | None,
    least: Mapping[str, int],
    left_out: Sequence[str] = (),
    keep_empty: bool,
) -> Iterator[str]:
    """Yield the lines of a table: its header, a rule, and the rows of `first` and `rest`.

    The rows of `first` decide on the widths. `rest` is read while the lines are. Without
    `keep_empty`, a column that is empty in `first` is left out. `width` is that of the terminal, or
    None to cut nothing. In that case the rule is as long as the header, because a text in
    the last column may be very long.
    """
    first, rest = [_visible(row) for row in first], map(_visible, rest)
    natural = {
        name: max(len(name), *(text_width(_text(row[at])) for row in first))
        for at, name in enumerate(columns)
        if keep_empty or any(row[at] for row in first)
    }
    widths = natural if width is None else fitted(natural, width, least, left_out)
    may_cut = () if width is None else least
    last = list(widths)[-1]
    places = {name: columns.index(name) for name in widths}

    def line(row: Sequence[Cell], style: str = "") -> str:
        cells = []
        for name, space in widths.items():
            value = row[places[name]]
            text, own = (value, style) if isinstance(value, str) else value
            length = text_width(text)
            if length > space and name in may_cut:
                text = _CUTS.get(name, cut_at_end)(text, space)
                length = text_width(text)
            blanks = " " * (space - length)
            text = styled(text, own)
            if name in _ALIGNED_RIGHT:
                cells.append(blanks + text)
            else:
                cells.append(text if name == last else text + blanks)
        return SEPARATOR.join(cells).rstrip() + "\n"

    yield line(columns, "bold")
    ruled = widths if width is not None else {**widths, last: len(last)}  # a pipe cuts no text
    rule = _dash() * (sum(ruled.values()) + len(SEPARATOR) * (len(widths) - 1))
    yield f"{styled(rule, 'dim')}\n"
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
