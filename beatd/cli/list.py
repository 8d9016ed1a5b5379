"""List entries (`beatd list`)."""

from collections.abc import Callable, Container, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.config_option import as_json
from beatd.cli.leader_note import NOTHING_RUNS, RELOADS, note_if_nobody_leads, print_note
from beatd.cli.nothing_listed import nothing_listed

if TYPE_CHECKING:
    from beatd.catalog import Query, Stored
    from beatd.config import Config
    from beatd.outcome import EntryOutcome
    from beatd.stores.sqlite_quick_list import Glance

LEAST_WIDTHS = {"next": 26, "schedule": 24, "name": 16, "task": 16}


@click.command()
@click.argument("pattern", required=False)
@click.option("--task", metavar="PATTERN", help="Only entries of this task; * and ? match.")
@click.option("--source", metavar="OWNER", help="Only entries of this owner: cli, yaml:config…")
@click.option(
    "--due-within", metavar="DURATION", help="Only entries due within 30s, 1h…, or overdue."
)
@click.option("--paused", is_flag=True, help="Only paused entries.")
@click.option("--disabled", is_flag=True, help="Only disabled entries.")
@click.option("--enabled", is_flag=True, help="Only entries that are neither disabled nor paused.")
@click.option(
    "--sort", type=click.Choice(["next", "name"]), default="next", help="The order. [default: next]"
)
@click.option("-n", "--limit", type=click.IntRange(1), metavar="N", help="Show at most N entries.")
@as_json
@takes_store
def command(chosen: ChosenStore, json: bool, **options: Any) -> None:
    """List entries, the next to run first.

    PATTERN selects by name: * matches any text, ? any character.
    """
    from beatd.views.outcome_rows import with_outcomes

    within = _within(options)
    config = chosen.config_for_reading()
    nothing = partial(nothing_listed, chosen, config, options)
    quick = _quick_list(config, within, options)
    if quick is not None:
        rows = with_outcomes(_chosen(iter(quick.rows), options), lambda _: quick.outcomes)
        now = datetime.now(UTC)
        some = _print(rows, quick.failing, now, config.timezone, json, nothing=nothing)
        if some and not quick.daemon_leads:
            print_note(RELOADS if quick.reloads else NOTHING_RUNS)
        return
    from beatd.daemon.failing_entries import failing_entries

    with chosen.open(config) as opened:
        found = opened.store.catalog.find(_query(within, opened.now, options))
        failing = () if json else failing_entries(opened.store.history)
        rows = with_outcomes(_chosen(found, options), opened.outcomes_of)
        some = _print(rows, failing, opened.now, config.timezone, json, nothing=nothing)
        if some:
            note_if_nobody_leads(opened, NOTHING_RUNS)


def _print(
    rows: "Iterator[tuple[Stored, EntryOutcome | None]]",
    failing: Container[str],
    now: datetime,
    tz: str,
    json: bool,
    *,
    nothing: Callable[[], str],
) -> bool:
    """Print the rows; `nothing` returns the text to print on stderr if there are none.

    Return True if there was a row.
    """
    if json:
        from beatd.cli.output import stream_json
        from beatd.views.entry_rows import json_of
        from beatd.views.outcome_rows import outcome_json

        return stream_json({**json_of(row), **outcome_json(row, known, now)} for row, known in rows)
    from beatd.cli.paged_table import print_pages
    from beatd.views.entry_rows import COLUMNS, cells_of

    return print_pages(
        COLUMNS,
        cells_of(rows, now, failing, tz),
        nothing=nothing,
        least=LEAST_WIDTHS,
        left_out=("runs", "task", "last", "outcome"),
    )


def _within(options: dict[str, Any]) -> timedelta | None:
    """Return the value of --due-within, or None if it was not given.

    Raises click.UsageError if --enabled is combined with --paused or --disabled.
    """
    from beatd.errors import ConfigError
    from beatd.schedules.duration import parse_duration

    if options["enabled"] and (options["paused"] or options["disabled"]):
        raise click.UsageError(
            "--enabled excludes what --paused and --disabled select; give one of them"
        )
    try:
        return parse_duration(options["due_within"]) if options["due_within"] else None
    except ConfigError as error:
        raise ConfigError(f"--due-within: {error}") from None


def _query(within: timedelta | None, now: datetime, options: dict[str, Any]) -> "Query":
    """Return the store query for the options of `beatd list`; `_chosen` filters its result further.

    `within` is the value of --due-within.
    """
    from beatd.catalog import Query

    # A query cannot ask for only paused or only disabled entries.
    stopped = options["paused"] or options["disabled"]
    return Query(
        name_like=options["pattern"],
        task_like=options["task"],
        source=options["source"],
        due_before=None if within is None else now + within,
        enabled=False if stopped else (True if options["enabled"] else None),
        order=options["sort"],
        limit=None if stopped else options["limit"],
    )


def _chosen(rows: "Iterator[Stored]", options: dict[str, Any]) -> "Iterator[Stored]":
    paused, disabled = options["paused"], options["disabled"]
    if not (paused or disabled):
        return rows
    wanted = (
        row for row in rows if (paused and row.paused) or (disabled and not row.entry.enabled)
    )
    return islice(wanted, options["limit"])


def _quick_list(
    config: "Config", within: timedelta | None, options: dict[str, Any]
) -> "Glance | None":
    """Return entries and outcomes of a small SQLite store, without the slow import of SQLAlchemy.

    Returns None if the store is of another kind, too large or unreadable.
    """
    url = config.store.url
    if not url.startswith("sqlite:///") or "?" in url:
        return None
    from beatd.daemon.failing_entries import RECORDS_READ
    from beatd.definition import codec
    from beatd.stores.sqlite_quick_list import glance

    query = _query(within, datetime.now(UTC), options)
    return glance(Path(url.removeprefix("sqlite:///")), query, codec, RECORDS_READ)
