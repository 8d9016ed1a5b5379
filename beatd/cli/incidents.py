"""Show open and past incidents (`beatd incidents`)."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json

if TYPE_CHECKING:
    from datetime import datetime

    from beatd.incident import Incident

COLUMNS = ("since", "kind", "entry", "lasted", "said", "observed")


@click.command()
@click.argument("name", required=False, shell_complete=names_of_entries)
@click.option("--all", "every", is_flag=True, help="Also those that are over.")
@click.option(
    "-n", "--limit", type=click.IntRange(1), metavar="N", help="Show at most N, the last opened."
)
@as_json
@takes_store
def command(
    chosen: ChosenStore, name: str | None, every: bool, limit: int | None, json: bool
) -> None:
    """Show what is wrong: the open incidents, the last opened first.

    An entry's `alert` says what opens an incident of it; the section `alerts` of the configuration
    says who is told.
    """
    from itertools import chain, islice

    from beatd.edits.editing import row_of

    with chosen.open(chosen.config_for_reading()) as opened:
        incidents = opened.store.incidents
        found: Iterable[Incident]
        if every:
            found = iter(incidents.incidents(name, limit))
        else:
            some = [one for one in incidents.open_incidents() if one.closed is None]
            some = [one for one in some if name in (None, one.name)]
            found = islice(reversed(some), limit)
        first = list(islice(found, 1))
        if not first and name is not None:
            row_of(opened.store.catalog, name)  # raises UnknownEntry if there is no such entry
        found = chain(first, found)
        if json:
            from beatd.cli.output import stream_json
            from beatd.views.incident_json import incident_json

            stream_json(incident_json(one) for one in found)
        else:
            from beatd.cli.paged_table import print_pages
            from beatd.cli.table_times import table_times

            when, title = table_times(opened.config.timezone, opened.now)
            cells = _cells(found, when, opened.now)
            nothing = "no incidents" if every else "no open incidents"
            configured = chosen.daemon is None and chosen.given.config is not None
            if configured and opened.config.alerts is None:
                nothing += "; nothing opens one, as the configuration has no alerts: docs/alerts.md"
            print_pages(
                COLUMNS,
                cells,
                nothing=nothing,
                least={"observed": 30, "entry": 16},
                left_out=("said", "lasted"),
                title=title,
            )


def _cells(
    found: "Iterable[Incident]", when: "Callable[[datetime], str]", now: "datetime"
) -> "Iterator[list[str | tuple[str, str]]]":
    from beatd.alerts.span_text import span_text

    for one in found:
        is_open = one.closed is None
        lasted = span_text((one.closed or now) - one.opened)
        yield [
            when(one.opened.replace(microsecond=0)),
            (one.kind, "red" if is_open else ""),
            one.name,
            f"{lasted}, open" if is_open else lasted,
            _said(one),
            one.observed,
        ]


def _said(one: "Incident") -> str:
    """Return "yes", "not yet" or "no, it flaps": whether an alert was sent about the incident."""
    from beatd.alerts.flapping import is_mute

    if is_mute(one.flaps):
        return "no, it flaps"
    return "not yet" if one.announced is None else "yes"
