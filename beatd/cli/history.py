"""Show which runs were published, skipped or failed, and why (`beatd history`)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
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
    from beatd.history import Record
    from beatd.views.record_rows import RecordFilter


COLUMNS = (
    "planned for", "entry", "state", "origin", "late", "outcome", "runtime", "worker",
    "task id, reason or error",
)  # fmt: skip
STATES = ("published", "skipped", "failed", "claimed")
ORDER_TITLE = "The record written last is first. After an outage, runs come out of order."
CAUGHT_UP_TITLE = "caught up: missed with others in an outage, and sent after it by catch_up."
SHORT_ID_MIN = 8  # characters of a task id
Line = tuple["Record", dict[str, Any]]  # a record, and the same with its outcome as JSON
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
    are one line. A run that was "caught up" was missed with others, and sent by catch_up.
    MOMENT is ISO 8601, like 2027-01-01T09:00, or a time of day, like 02:30: the newest one. Without
    an offset it is in the zone of the configuration. A length like 10m or 2h counts back from now.
    """
    from beatd.views.record_rows import RecordFilter

    with chosen.open(chosen.config_for_reading()) as opened:
        tz, now = opened.config.timezone, opened.now
        wanted = RecordFilter(
            state,
            None if since is None else read_moment_or_length("--since", since, tz, now),
            None if until is None else read_moment_or_length("--until", until, tz, now),
        )
        if json:
            from beatd.cli.output import stream_json

            found = _found(opened, name, limit, wanted, with_traces=True)
            stream_json(item for _, item in _of_known_entry(found, opened, name))
        else:
            lines = _of_known_entry(_table_lines(opened, name, wanted), opened, name)
            _print(islice(lines, limit), opened, name, wanted)


def _table_lines(opened: "OpenedStore", name: str | None, wanted: "RecordFilter") -> Iterator[Line]:
    """Yield the lines of the table, in which all that one outage skipped of an entry is one line.

    A limit counts these lines, so that it cuts none of them.
    """
    from msgspec.structs import replace

    from beatd.skips_in_order import skips_in_order

    # The runs between two outages must be read to keep the outages apart.
    read = replace(wanted, state=None) if wanted.state == "skipped" else wanted
    for record, item in skips_in_order(_found(opened, name, None, read, with_traces=False)):
        if wanted.state is None or record.state == wanted.state:
            yield record, item


def _print(
    lines: Iterator[Line],
    opened: "OpenedStore",
    name: str | None,
    wanted: "RecordFilter",
) -> None:
    from beatd.cli.paged_table import ROWS_MEASURED, print_pages, terminal_width
    from beatd.cli.table_times import table_times

    first = list(islice(lines, ROWS_MEASURED))
    records = [record for record, _ in first]
    shown = map(_shown_moment, records)
    when, title = table_times(opened.config.timezone, opened.now, shown)
    if any(record.origin == "catch-up" for record in records):
        title = f"{CAUGHT_UP_TITLE}\n{title}"
    if any(before.planned < after.planned for before, after in pairwise(records)):
        title = f"{ORDER_TITLE}\n{title}"
    id_length = None if terminal_width() is None else _short_id_length(records)
    print_pages(
        COLUMNS,
        _cells(chain(first, lines), when, id_length, _not_received(opened, first)),
        nothing=lambda: _nothing(opened, name, wanted),
        least={"task id, reason or error": 32, "entry": 16, "worker": 12},
        left_out=("worker", "runtime", "late", *(("entry",) if name else ()), "origin"),
        title=title,
    )


def _not_received(opened: "OpenedStore", lines: Iterable[Line]) -> frozenset[str]:
    """Return the task ids of runs that `beatd list` shows as sent and not received by a worker."""
    from beatd.catalog import Query

    names = {
        record.name
        for record, one in lines
        if record.state == "published" and one["outcome"] is None
    }
    rows = list(opened.store.catalog.find(Query(names=tuple(names)))) if names else []
    known = opened.outcomes_of(rows).values() if rows else ()
    return frozenset(one.sent.task_id for one in known if one.sent and not one.unread)


def _shown_moment(record: "Record") -> datetime:
    """Return the moment of a record as the table shows it: that of a request in milliseconds."""
    from beatd.schedules.moment import to_milliseconds

    return to_milliseconds(record.planned) if record.origin == "trigger" else record.planned


def _short_id_length(records: Sequence["Record"]) -> int:
    """Return how many characters tell the task ids of these records apart."""
    ids = {one.task_id for one in records}
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
    lines: Iterator[Line], opened: "OpenedStore", name: str | None
) -> Iterator[Line]:
    """Return the lines; UnknownEntry is raised if there is neither a record nor the entry."""
    from beatd.edits.editing import row_of

    first = list(islice(lines, 1))
    if not first and name is not None:
        row_of(opened.store.catalog, name)
    return chain(first, lines)


def _found(
    opened: "OpenedStore",
    name: str | None,
    limit: int | None,
    wanted: "RecordFilter",
    *,
    with_traces: bool,
) -> Iterator[Line]:
    """Return the records, each with the dict that `beatd history --json` prints of it.

    The trace ids may be missing without `with_traces`.
    """
    from beatd.requested_run import requested_run
    from beatd.views.record_rows import RecordFilter, record_json, with_deliveries, with_traced

    if opened.api is not None:
        from msgspec.structs import asdict

        from beatd.remote.from_json import record_from
        from beatd.remote.remote_parts import history_json

        found = history_json(opened.api, name, limit, **asdict(wanted))
        return ((record_from(item), item) for item in found)
    store = opened.store
    unfiltered = wanted == RecordFilter(None, None, None)
    records = store.history.history(name, limit if unfiltered else None)
    known = with_deliveries(islice(wanted.matching(records), limit), store.outcomes)
    traced = with_traced(known, store.catalog) if with_traces else ((one, False) for one in known)
    return (
        (
            record,
            record_json(record, deliveries, is_traced, requested_run(store.catalog.marks, record)),
        )
        for (record, deliveries), is_traced in traced
    )


def _cells(
    lines: Iterable[Line],
    when: Callable[[datetime], str],
    id_length: int | None,
    not_received: Collection[str],
) -> Iterator[list[str | tuple[str, str]]]:
    """Yield the cells of each line; `id_length` is the length of a task id, None for the whole
    id. `not_received` are the ids of runs that were sent and not received by a worker."""
    from beatd.overlap import reason_text
    from beatd.requested_run import requested_text
    from beatd.schedules.duration import lateness_text
    from beatd.views.outcome_rows import NOT_RECEIVED, STYLES
    from beatd.views.record_rows import origin_text
    from beatd.why.time_words import runtime

    for record, one in lines:
        detail = reason_text(record.reason, when) or one["error"] or record.task_id[:id_length]
        if by := requested_text(one.get("requested")):
            detail = f"{by}: {detail}"
        if (times := one.get("deliveries", 1)) > 1:
            detail = f"received {times} times: {detail}"
        if record.until is not None:
            at_least = "at least " if record.at_least else ""
            runs = "1 run" if record.count == 1 else f"{record.count} runs"
            detail = f"{at_least}{runs} to {when(record.until)}: {detail}"
        late, outcome = record.lateness, one["outcome"]
        became = (NOT_RECEIVED, "yellow") if record.task_id in not_received else ""
        yield [
            when(_shown_moment(record)),
            record.name,
            (record.state, _STYLES[record.state]),
            origin_text(record),
            "" if late is None else lateness_text(late),
            became if outcome is None else (outcome, STYLES[outcome]),
            "" if one["runtime"] is None else runtime(one["runtime"]),
            one["worker"] or "",
            detail,
        ]
