"""Show which runs were published, skipped or failed, and why (`beatd history`)."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.cli.time_text import read_moment

if TYPE_CHECKING:
    from datetime import datetime

    from beatd.ledger import Record
    from beatd.store import Roles

STATES = ("published", "skipped", "failed", "claimed")
_STYLES = {"published": "green", "skipped": "yellow", "failed": "red", "claimed": "cyan"}


@click.command()
@click.argument("name", required=False, shell_complete=names_of_entries)
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", help="Show at most N records, the newest."
)
@click.option("--state", type=click.Choice(STATES), help="Only records in this state.")
@click.option("--since", metavar="MOMENT", help="Only moments from this one on.")
@click.option("--until", metavar="MOMENT", help="Only moments up to this one.")
@as_json
@takes_store
def command(
    chosen: ChosenStore,
    name: str | None,
    limit: int | None,
    state: str | None,
    since: str | None,
    until: str | None,
    json: bool,
) -> None:
    """Show what ran, and what did not and why.

    The newest record is first. MOMENT is ISO 8601, like 2027-01-01T09:00; without an offset it is
    in the zone of the configuration.
    """
    with chosen.open() as opened:
        tz = opened.config.timezone
        wanted = RecordFilter(
            state,
            None if since is None else read_moment("--since", since, tz),
            None if until is None else read_moment("--until", until, tz),
        )
        records = _records(opened.store, name, limit, wanted)
        if json:
            from beatd.cli.output import stream_json

            stream_json(json_of(record) for record in records)
        else:
            from beatd.cli.paged_table import print_pages

            columns = ("planned for", "entry", "state", "late", "task id or reason")
            cells = _cells(records, tz)
            print_pages(columns, cells, nothing="nothing ran yet", cut=("entry",))


class RecordFilter(Struct, frozen=True):
    """Selects lines of the history by state and by planned time; None selects all."""

    state: str | None
    since: "datetime | None"
    until: "datetime | None"

    def matching(self, records: "Iterable[Record]") -> "Iterator[Record]":
        """Yield the records that the filter selects, in their order.

        `records` must be sorted with the newest first: the search ends at the first record that was
        published before `since`.
        """
        for record in records:
            if self.since and record.published is not None and record.published < self.since:
                return  # this record and all that follow were written before, and no run is early
            if self.state is not None and record.state != self.state:
                continue
            if self.since is not None and (record.until or record.planned) < self.since:
                continue
            if self.until is None or record.planned <= self.until:
                yield record


def _records(
    store: "Roles", name: str | None, limit: int | None, wanted: RecordFilter
) -> "Iterator[Record]":
    from itertools import chain, islice

    from beatd.edits.editing import row_of

    unfiltered = wanted == RecordFilter(None, None, None)
    records = store.history.history(name, limit if unfiltered else None)
    first = list(islice(records, 1))
    if not first and name is not None:
        row_of(store.catalog, name)  # raises UnknownEntry if there is no such entry
    return islice(wanted.matching(chain(first, records)), limit)


def json_of(record: "Record") -> dict[str, Any]:
    """Return a line of the history as a mapping for JSON.

    `until` and `count` are present only if the record stands for several moments, and `at_least`
    only if there may be more of them than `count`.
    """
    from beatd.cli.entry_rows import iso_or_none

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


def _cells(records: "Iterable[Record]", tz: str) -> Iterator[list[str | tuple[str, str]]]:
    from beatd.cli.time_text import lateness_text, moment_text
    from beatd.schedules import zone

    home = zone(tz)
    for record in records:
        detail = record.reason or record.task_id
        if record.until is not None:
            until = record.until.astimezone(home)
            at_least = "at least " if record.at_least else ""
            moments = "1 moment" if record.count == 1 else f"{record.count} moments"
            detail = f"{at_least}{moments} to {until:%m-%d %H:%M:%S}: {detail}"
        yield [
            moment_text(record.planned, tz),
            record.name,
            (record.state, _STYLES[record.state]),
            "" if record.late is None else lateness_text(record.late),
            detail,
        ]
