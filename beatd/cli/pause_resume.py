"""`pause` and `resume`, which differ in a word."""

from collections.abc import Callable, Sequence
from datetime import datetime

from beatd.catalog import EditableCatalog
from beatd.cli.escapes import echo
from beatd.cli.open_store import Asked

Mark = Callable[[EditableCatalog, Sequence[str], Callable[[], datetime]], list[str]]


def mark(
    asked: Asked, names: Sequence[str], mark: Mark, done: str, was_so: str, json: bool
) -> None:
    from beatd.cli.output import print_json
    from beatd.edits.editing import rows

    with asked.open() as opened:
        marked = mark(opened.store.catalog, names, opened.present)
        after = rows(opened.store.catalog, names)
    if json:
        print_json({done: marked})
        return
    for name in dict.fromkeys(names):
        told = f"{done} {name}" if name in marked else f"{name} {was_so}"
        stopped = name in after and not after[name].entry.enabled
        echo(f"{told}; it is disabled, and does not run" if stopped else told)
