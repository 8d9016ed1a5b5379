"""`pause` and `resume`, which differ in a word."""

from collections.abc import Callable, Sequence
from datetime import datetime

import click

from beatd.catalog import EditableCatalog
from beatd.cli.opened import Asked

Mark = Callable[[EditableCatalog, Sequence[str], datetime], list[str]]


def mark(asked: Asked, names: Sequence[str], mark: Mark, done: str, json: bool) -> None:
    from beatd.cli.output import print_json

    with asked.open() as opened:
        marked = mark(opened.store, names, opened.now)
    if json:
        print_json({done: marked})
        return
    for name in dict.fromkeys(names):
        click.echo(f"{done} {name}" if name in marked else f"{name} was {done} already")
