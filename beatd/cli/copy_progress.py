"""Show the progress of copying a store on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import click

LINE_EVERY_S = 5.0


@contextmanager
def copy_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Return a function `show(what, done, total)` that displays progress; total 0 is unknown."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks = dict[str, object]()

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total or None)
            bar.update(tasks[what], completed=done, total=total or None)  # type: ignore[arg-type]

        yield show


def _lines() -> Callable[[str, int, int], None]:
    written_at = monotonic()

    def show(what: str, done: int, total: int) -> None:
        nonlocal written_at
        is_end = total and done >= total
        if not is_end and monotonic() - written_at < LINE_EVERY_S:
            return
        written_at = monotonic()
        click.echo(f"{what}: {done}{f' of {total}' if total else ''}", err=True)

    return show
