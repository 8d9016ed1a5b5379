"""Show which runs were published, skipped or failed, and why (`beatd history`)."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.cli.time_text import read_moment

if TYPE_CHECKING:
    from datetime import datetime

    from beatd.catalog import Catalog
    from beatd.ledger import Record
    from beatd.outcome import Delivery, Outcomes
    from beatd.store import Roles

    Known = tuple[Record, Sequence[Delivery]]

COLUMNS = (
    "planned for", "entry", "state", "origin", "late", "outcome", "runtime", "worker",
    "task id, reason or error",
)  # fmt: skip
PAGE = 500  # records whose outcomes are read at once
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
        known = with_deliveries(records, opened.store.outcomes)
        if json:
            from beatd.cli.output import stream_json

            stream_json(
                json_of(record, deliveries, is_traced)
                for (record, deliveries), is_traced in with_traced(known, opened.store.catalog)
            )
        else:
            from beatd.cli.paged_table import print_pages

            print_pages(
                COLUMNS,
                _cells(known, tz),
                nothing="nothing ran yet",
                cut=("task id, reason or error", "worker", "entry"),
                left_out=("worker", "late", "runtime", *(("entry",) if name else ())),
                readable="task id, reason or error",
            )


class RecordFilter(Struct, frozen=True):
    """A filter of history records by state and planned time; a field of None accepts all."""

    state: str | None
    since: "datetime | None"
    until: "datetime | None"

    def matching(self, records: "Iterable[Record]") -> "Iterator[Record]":
        """Yield the records that match the filter, in their order.

        `records` must have the newest first: reading stops at the first record published before
        `since`.
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
    from itertools import chain

    from beatd.edits.editing import row_of

    unfiltered = wanted == RecordFilter(None, None, None)
    records = store.history.history(name, limit if unfiltered else None)
    first = list(islice(records, 1))
    if not first and name is not None:
        row_of(store.catalog, name)  # raises UnknownEntry if there is no such entry
    return islice(wanted.matching(chain(first, records)), limit)


def with_deliveries(
    records: "Iterable[Record]", outcomes: "Outcomes"
) -> "Iterator[tuple[Record, Sequence[Delivery]]]":
    """Yield each history record with the deliveries of its message to workers, oldest first."""
    left = iter(records)
    while page := list(islice(left, PAGE)):
        known = outcomes.outcomes([record.task_id for record in page if record.task_id])
        for record in page:
            yield record, known.get(record.task_id, ())


def with_traced(known: "Iterable[Known]", catalog: "Catalog") -> "Iterator[tuple[Known, bool]]":
    """Yield each record with True if its entry has `trace: true`, else False."""
    from beatd.catalog import Query

    left = iter(known)
    while page := list(islice(left, PAGE)):
        names = tuple({record.name for record, _ in page})
        traced = {row.entry.name for row in catalog.find(Query(names=names)) if row.entry.trace}
        for one in page:
            yield one, one[0].name in traced


def json_of(record: "Record", deliveries: "Sequence[Delivery]", is_traced: bool) -> dict[str, Any]:
    """Return a history record and the outcome of its run as a dict for JSON.

    The outcome is the state of the newest delivery. "deliveries" is present only if the broker
    delivered the message more than once; "until" and "count" only if the record stands for several
    moments.
    """
    from beatd.cli.entry_rows import iso_or_none
    from beatd.cli.outcome_rows import delivered, delivery_json
    from beatd.trace import trace_id

    times = delivered(deliveries)
    return {
        "entry": record.name,
        "planned": iso_or_none(record.planned),
        "state": record.state,
        "reason": record.reason,
        "task_id": record.task_id,
        "published": iso_or_none(record.published),
        "late": record.late,
        "origin": record.origin,
        "trace": trace_id(record.task_id) if is_traced and record.task_id else None,
        **delivery_json(deliveries[-1] if deliveries else None),
        **({"deliveries": times} if times > 1 else {}),
        **({"until": iso_or_none(record.until)} if record.until is not None else {}),
        **({"count": record.count} if record.count != 1 else {}),
        **({"at_least": True} if record.at_least else {}),
    }


def _cells(
    records: "Iterable[tuple[Record, Sequence[Delivery]]]", tz: str
) -> Iterator[list[str | tuple[str, str]]]:
    from beatd.cli.outcome_rows import STYLES, delivered
    from beatd.cli.time_text import lateness_text, moment_text
    from beatd.schedules import zone
    from beatd.why.time_words import runtime

    home = zone(tz)
    for record, deliveries in records:
        newest = deliveries[-1] if deliveries else None
        detail = record.reason or (newest.error if newest else "") or record.task_id
        if (times := delivered(deliveries)) > 1:
            detail = f"delivered {times} times: {detail}"
        if record.until is not None:
            until = record.until.astimezone(home)
            at_least = "at least " if record.at_least else ""
            moments = "1 moment" if record.count == 1 else f"{record.count} moments"
            detail = f"{at_least}{moments} to {until:%m-%d %H:%M:%S}: {detail}"
        yield [
            moment_text(record.planned, tz),
            record.name,
            (record.state, _STYLES[record.state]),
            "" if record.origin == "planned" else record.origin,
            "" if record.late is None else lateness_text(record.late),
            "" if newest is None else (newest.state, STYLES[newest.state]),
            "" if newest is None or newest.runtime is None else runtime(newest.runtime),
            "" if newest is None else newest.worker,
            detail,
        ]
