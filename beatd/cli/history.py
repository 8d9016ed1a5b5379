"""Show which runs were published, skipped or failed, and why (`beatd history`)."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.views.time_text import read_moment

if TYPE_CHECKING:
    from beatd.history import Record
    from beatd.outcome import Delivery
    from beatd.store import Roles
    from beatd.views.record_rows import RecordFilter


COLUMNS = (
    "planned for", "entry", "state", "origin", "late", "outcome", "runtime", "worker",
    "task id, reason or error",
)  # fmt: skip
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
    from beatd.views.record_rows import RecordFilter, record_json, with_deliveries, with_traced

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
                record_json(record, deliveries, is_traced)
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


def _records(
    store: "Roles", name: str | None, limit: int | None, wanted: "RecordFilter"
) -> "Iterator[Record]":
    from itertools import chain

    from beatd.edits.editing import row_of
    from beatd.views.record_rows import RecordFilter

    unfiltered = wanted == RecordFilter(None, None, None)
    records = store.history.history(name, limit if unfiltered else None)
    first = list(islice(records, 1))
    if not first and name is not None:
        row_of(store.catalog, name)  # raises UnknownEntry if there is no such entry
    return islice(wanted.matching(chain(first, records)), limit)


def _cells(
    records: "Iterable[tuple[Record, Sequence[Delivery]]]", tz: str
) -> Iterator[list[str | tuple[str, str]]]:
    from beatd.schedules import zone
    from beatd.views.outcome_rows import STYLES, delivered
    from beatd.views.time_text import lateness_text, moment_text
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
