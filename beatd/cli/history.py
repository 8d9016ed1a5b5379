"""Show which runs were published, skipped or failed, and why (`beatd history`)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.views.time_text import read_moment

if TYPE_CHECKING:
    from beatd.cli.chosen_store import OpenedStore
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
    from beatd.views.record_rows import RecordFilter

    with chosen.open() as opened:
        tz = opened.config.timezone
        wanted = RecordFilter(
            state,
            None if since is None else read_moment("--since", since, tz),
            None if until is None else read_moment("--until", until, tz),
        )
        items = _items(opened, name, limit, wanted, with_traces=json)
        if json:
            from beatd.cli.output import stream_json

            stream_json(items)
        else:
            from beatd.cli.paged_table import print_pages

            print_pages(
                COLUMNS,
                _cells(items, tz),
                nothing="nothing ran yet",
                cut=("task id, reason or error", "worker", "entry"),
                left_out=("worker", "late", "runtime", *(("entry",) if name else ())),
                readable="task id, reason or error",
            )


def _items(
    opened: "OpenedStore",
    name: str | None,
    limit: int | None,
    wanted: "RecordFilter",
    *,
    with_traces: bool,
) -> Iterator[dict[str, Any]]:
    """Return the records as `beatd history --json` prints them.

    The trace ids may be missing without `with_traces`. Raises UnknownEntry if there is neither a
    record nor an entry of this name.
    """
    from itertools import chain

    from beatd.edits.editing import row_of

    items = _found(opened, name, limit, wanted, with_traces=with_traces)
    first = list(islice(items, 1))
    if not first and name is not None:
        row_of(opened.store.catalog, name)
    return islice(chain(first, items), limit)


def _found(
    opened: "OpenedStore",
    name: str | None,
    limit: int | None,
    wanted: "RecordFilter",
    *,
    with_traces: bool,
) -> Iterator[dict[str, Any]]:
    from beatd.views.record_rows import RecordFilter, record_json, with_deliveries, with_traced

    if opened.api is not None:
        from msgspec.structs import asdict

        from beatd.remote.remote_parts import history_json

        return history_json(opened.api, name, limit, **asdict(wanted))
    store = opened.store
    unfiltered = wanted == RecordFilter(None, None, None)
    records = store.history.history(name, limit if unfiltered else None)
    known = with_deliveries(islice(wanted.matching(records), limit), store.outcomes)
    traced = with_traced(known, store.catalog) if with_traces else ((one, False) for one in known)
    return (
        record_json(record, deliveries, is_traced) for (record, deliveries), is_traced in traced
    )


def _cells(items: Iterable[dict[str, Any]], tz: str) -> Iterator[list[str | tuple[str, str]]]:
    from beatd.schedules import zone
    from beatd.views.outcome_rows import STYLES
    from beatd.views.time_text import lateness_text, moment_text
    from beatd.why.time_words import runtime

    home = zone(tz)
    for one in items:
        detail = one["reason"] or one["error"] or one["task_id"]
        if (times := one.get("deliveries", 1)) > 1:
            detail = f"delivered {times} times: {detail}"
        if "until" in one:
            until, count = (
                datetime.fromisoformat(one["until"]).astimezone(home),
                one.get("count", 1),
            )
            at_least = "at least " if one.get("at_least") else ""
            moments = "1 moment" if count == 1 else f"{count} moments"
            detail = f"{at_least}{moments} to {until:%m-%d %H:%M:%S}: {detail}"
        outcome = one["outcome"]
        yield [
            moment_text(datetime.fromisoformat(one["planned"]), tz),
            one["entry"],
            (one["state"], _STYLES[one["state"]]),
            "" if one["origin"] == "planned" else one["origin"],
            "" if one["late"] is None else lateness_text(one["late"]),
            "" if outcome is None else (outcome, STYLES[outcome]),
            "" if one["runtime"] is None else runtime(one["runtime"]),
            one["worker"] or "",
            detail,
        ]
