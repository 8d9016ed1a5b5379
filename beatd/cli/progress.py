"""Show the progress of long work on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

BAR_AFTER_S = 0.5
LINE_EVERY_S = 5.0

#: show(what, done, total); total 0 is unknown.
Show = Callable[[str, int, int], None]


@contextmanager
def progress(
    *, lines_in_pipe: bool = False, elapsed: Callable[[], float] = monotonic
) -> Iterator[Show]:
    """Return a function that displays progress: as bars on a terminal, BAR_AFTER_S after the start.

    Nothing is displayed in a pipe, or with `lines_in_pipe` a line every LINE_EVERY_S. `elapsed`
    returns seconds.
    """
    if not sys.stderr.isatty():
        yield _lines(elapsed) if lines_in_pipe else _nothing
        return
    bars = _Bars(elapsed)
    try:
        yield bars.show
    finally:
        bars.stop()


class _Bars:
    """The bars on a terminal, one for each kind of work; they vanish at the end."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed, self._begun_at = elapsed, elapsed()
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def show(self, what: str, done: int, total: int) -> None:
        if self._bars is None:
            if self._elapsed() - self._begun_at < BAR_AFTER_S:
                return
            self._bars = self._started()
        known = total or None
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=known)
        self._bars.update(self._tasks[what], completed=done, total=known)

    def stop(self) -> None:
        if self._bars is not None:
            self._bars.stop()

    def _started(self) -> "Progress":
        # Rich is imported late: work that is short does not wait for it.
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        bars = Progress(*columns, console=Console(stderr=True), transient=True)
        bars.start()
        return bars


def _nothing(what: str, done: int, total: int) -> None:
    pass


def _lines(elapsed: Callable[[], float]) -> Show:
    written_at = elapsed()

    def show(what: str, done: int, total: int) -> None:
        nonlocal written_at
        is_end = total and done >= total
        if not is_end and elapsed() - written_at < LINE_EVERY_S:
            return
        written_at = elapsed()
        click.echo(f"{what}: {done}{f' of {total}' if total else ''}", err=True)

    return show
