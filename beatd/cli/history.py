"""Show which runs were published, skipped or failed, and why (`beatd history`)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING, Any

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.views.time_text import moment_text, read_moment_or_length

if TYPE_CHECKING:
    from beatd.cli.chosen_store import OpenedStore
    from beatd.views.record_rows import RecordFilter


COLUMNS = (
    "planned for", "entry", "state", "origin", "late", "outcome", "runtime", "worker",
    "task id, reason or error",
)  # fmt: skip
STATES = ("published", "skipped", "failed", "claimed")
ORDER_TITLE = "The record written last is first. After an outage, runs come out of order."
SHORT_ID_MIN = 8  # characters of a task id
_STYLES = {"published": "green", "skipped": "yellow", "failed": "red", "claimed": "cyan"}


@click.command()
@click.argument("name", required=False, shell_complete=names_of_entries)
@click.option(
    "-n", "--limit", type=click.IntRange(1), metavar="N", help="Show at most N records, the newest."
)
@click.option("--state", type=click.Choice(STATES), help="Only records in this state.")
@click.option("--since", metavar="MOMENT|10m", help="Only moments from this one on.")
@click.option("--until", metavar="MOMENT|10m", help="Only moments up to this one.")
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

    The record that was written last is first: after an outage that is not the order of the moments.
    In the table, skipped moments stand below the later runs of their entry, and those of one outage
    are one line.
    MOMENT is ISO 8601, like 2027-01-01T09:00; without an offset it is in the zone of the
    configuration. A length like 10m or 2h counts back from now.
    """
    from beatd.views.record_rows import RecordFilter

    with chosen.open() as opened:
        tz, now = opened.config.timezone, opened.now
        wanted = RecordFilter(
            state,
            None if since is None else read_moment_or_length("--since", since, tz, now),
            None if until is None else read_moment_or_length("--until", until, tz, now),
        )
        found = _found(opened, name, limit, wanted, with_traces=json)
        items = _of_known_entry(found, opened, name)
        if json:
            from beatd.cli.output import stream_json

            stream_json(items)
        else:
            _print(items, opened, name, wanted)


def _print(
    items: Iterator[dict[str, Any]],
    opened: "OpenedStore",
    name: str | None,
    wanted: "RecordFilter",
) -> None:
    from beatd.cli.paged_table import ROWS_MEASURED, print_pages, terminal_width
    from beatd.cli.table_times import table_times
    from beatd.views.skips_in_order import skips_in_order

    first = skips_in_order(list(islice(items, ROWS_MEASURED)))
    when, title = table_times(opened.config.timezone, opened.now)
    if any(before["planned"] < after["planned"] for before, after in pairwise(first)):
        title = f"{ORDER_TITLE}\n{title}"
    id_length = None if terminal_width() is None else _short_id_length(first)
    print_pages(
        COLUMNS,
        _cells(chain(first, items), when, opened.config.timezone, id_length),
        nothing=lambda: _nothing(opened, name, wanted),
        least={"task id, reason or error": 32, "entry": 16, "worker": 12},
        left_out=("worker", "runtime", "late", *(("entry",) if name else ()), "origin"),
        title=title,
    )


def _short_id_length(items: Sequence[dict[str, Any]]) -> int:
    """Return how many characters tell the task ids of these records apart."""
    ids = {one["task_id"] for one in items}
    for length in range(SHORT_ID_MIN, 36):
        if len({id[:length] for id in ids}) == len(ids):
            return length
    return 36


def _nothing(opened: "OpenedStore", name: str | None, wanted: "RecordFilter") -> str:
    """Return the text for people if no record is shown: nothing ran, or nothing matches."""
    from beatd.views.record_rows import RecordFilter

    everything = RecordFilter(None, None, None)
    of = f" of {name}" if name else ""
    if next(_found(opened, name, 1, everything, with_traces=False), None) is None:
        return f"nothing{of} ran yet"
    tz = opened.config.timezone
    filters = [f"--state {wanted.state}"] if wanted.state else []
    filters += [
        f"--{option} {moment_text(moment.replace(microsecond=0), tz)}"
        for option, moment in (("since", wanted.since), ("until", wanted.until))
        if moment is not None
    ]
    return f"no record{of} matches {' '.join(filters)}; without that there are some"


def _of_known_entry(
    items: Iterator[dict[str, Any]], opened: "OpenedStore", name: str | None
) -> Iterator[dict[str, Any]]:
    """Return the records; UnknownEntry is raised if there is neither a record nor the entry."""
    from beatd.edits.editing import row_of

    first = list(islice(items, 1))
    if not first and name is not None:
        row_of(opened.store.catalog, name)
    return chain(first, items)


def _found(
    opened: "OpenedStore",
    name: str | None,
    limit: int | None,
    wanted: "RecordFilter",
    *,
    with_traces: bool,
) -> Iterator[dict[str, Any]]:
    """Return the records as `beatd history --json` prints them.

    The trace ids may be missing without `with_traces`.
    """
    from beatd.requested_run import requested_run
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
        record_json(record, deliveries, is_traced, requested_run(store.catalog.marks, record))
        for (record, deliveries), is_traced in traced
    )


def _cells(
    items: Iterable[dict[str, Any]],
    when: Callable[[datetime], str],
    tz: str,
    id_length: int | None,
) -> Iterator[list[str | tuple[str, str]]]:
    """Yield the cells of each record; `id_length` is the length of a task id, None for the whole
    id."""
    from beatd.requested_run import requested_text
    from beatd.schedules import zone
    from beatd.schedules.moment import in_zone
    from beatd.views.outcome_rows import STYLES
    from beatd.views.time_text import lateness_text
    from beatd.why.time_words import runtime

    home = zone(tz)
    for one in items:
        detail = one["reason"] or one["error"] or one["task_id"][:id_length]
        if by := requested_text(one.get("requested")):
            detail = f"{by}: {detail}"
        if (times := one.get("deliveries", 1)) > 1:
            detail = f"delivered {times} times: {detail}"
        if "until" in one:
            until = in_zone(datetime.fromisoformat(one["until"]), home)
            count = one.get("count", 1)
            at_least = "at least " if one.get("at_least") else ""
            moments = "1 moment" if count == 1 else f"{count} moments"
            detail = f"{at_least}{moments} to {until:%m-%d %H:%M:%S}: {detail}"
        outcome = one["outcome"]
        yield [
            when(datetime.fromisoformat(one["planned"])),
            one["entry"],
            (one["state"], _STYLES[one["state"]]),
            "" if one["origin"] == "planned" else one["origin"],
            "" if one["late"] is None else lateness_text(one["late"]),
            "" if outcome is None else (outcome, STYLES[outcome]),
            "" if one["runtime"] is None else runtime(one["runtime"]),
            one["worker"] or "",
            detail,
        ]
