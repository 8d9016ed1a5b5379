"""beatd history"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from beatd.cli.given import as_json
from beatd.cli.opened import Asked, takes_store

if TYPE_CHECKING:
    from datetime import datetime

    from beatd.ledger import Record
    from beatd.store import Store

STATES = ("published", "skipped", "failed", "claimed")
_STYLES = {"published": "green", "skipped": "yellow", "failed": "red", "claimed": "cyan"}


@click.command()
@click.argument("name", required=False)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many, the newest.")
@click.option("--state", type=click.Choice(STATES), help="Only records in this state.")
@as_json
@takes_store
def command(
    asked: Asked, name: str | None, limit: int | None, state: str | None, json: bool
) -> None:
    """Show what ran, and what did not and why; newest first."""
    with asked.open() as opened:
        records = _found(opened.store, name, limit, state)
        if json:
            from beatd.cli.output import stream_json

            stream_json(json_of(record) for record in records)
        else:
            from beatd.cli.pages import print_pages

            columns = ("planned", "entry", "state", "late", "task id or reason")
            print_pages(columns, _cells(records), nothing="nothing ran yet", bends=("entry",))


def _found(
    store: "Store", name: str | None, limit: int | None, state: str | None
) -> "Iterator[Record]":
    from itertools import chain, islice

    from beatd.editing import row_of

    records = store.history(name, limit if state is None else None)
    first = list(islice(records, 1))
    if not first and name is not None:
        row_of(store, name)  # says so when there is no such entry
    found: Iterable[Record] = chain(first, records)
    if state is not None:
        found = islice((record for record in found if record.state == state), limit)
    return iter(found)


def json_of(record: "Record") -> dict[str, Any]:
    from beatd.cli.rows import iso_or_none

    return {
        "entry": record.name,
        "planned": iso_or_none(record.planned),
        "state": record.state,
        "reason": record.reason,
        "task_id": record.task_id,
        "published": iso_or_none(record.published),
        "late": record.late,
        **({"until": iso_or_none(record.until)} if record.until is not None else {}),
        **({"count": record.count} if record.count != 1 else {}),
        **({"at_least": True} if record.at_least else {}),
    }


def _cells(records: "Iterable[Record]") -> Iterator[list[str | tuple[str, str]]]:
    for record in records:
        told = record.reason or record.task_id
        if record.count > 1 and record.until is not None:
            at_least = "at least " if record.at_least else ""
            told = f"{at_least}{record.count} moments to {record.until:%m-%d %H:%M:%S}: {told}"
        yield [
            _shown(record.planned),
            record.name,
            (record.state, _STYLES[record.state]),
            "" if record.late is None else f"{record.late:.3f} s",
            told,
        ]


def _shown(moment: "datetime") -> str:
    """With its fraction only where it has one: an entry every half second is not told twice."""
    spec = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    text = moment.isoformat(" ", spec if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")
