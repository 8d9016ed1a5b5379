"""The next runs of all entries together, as `beatd next` without a name shows them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import merge, nsmallest
from itertools import islice

from msgspec import Struct

from beatd.catalog import Query, Stored
from beatd.cli.config_option import ConfigOption
from beatd.cli.named_entries import declared_here, from_app, stored_here
from beatd.cli.paged_table import print_pages
from beatd.cli.table_times import table_times
from beatd.cli.url_option import remote_daemon
from beatd.entry import Entry
from beatd.planning import has_run_out
from beatd.views.next_runs import runs_after
from beatd.views.time_text import distance_text

NOTHING = "no entry has a next run"


class RunAhead(Struct, frozen=True, order=True):
    """A run that an entry of this name has ahead; the earliest one is the smallest."""

    planned: datetime
    name: str
    tz: str


class _Ahead(Struct, frozen=True):
    # An entry that runs, and how many runs its `max_runs` still allows; None if it has no limit.
    entry: Entry
    left: int | None

    def runs(self, after: datetime) -> Iterator[RunAhead]:
        moments = islice(runs_after(self.entry, after), self.left)
        return (RunAhead(one, self.entry.name, self.entry.tz) for one in moments)


def runs_of_all(given: ConfigOption, after: datetime, count: int) -> Iterator[RunAhead]:
    """Return an iterator over the first `count` runs of all entries later than `after`, the
    earliest first.

    Paused and disabled entries are left out. The configuration counts before the store: it has what
    no daemon has applied yet.
    """
    # The entries that run first have all of the first runs.
    first = nsmallest(
        count, ((run, one) for one in _entries(given) for run in islice(one.runs(after), 1)), _run
    )
    return islice(merge(*(one.runs(after) for _, one in first)), count)


def _run(found: tuple[RunAhead, _Ahead]) -> RunAhead:
    return found[0]


def _entries(given: ConfigOption) -> Iterator[_Ahead]:
    if given.url is not None:
        rows = remote_daemon(given.url).roles().catalog.find(Query(enabled=True))
        yield from filter(None, (_ahead(row.entry, row) for row in rows))
        return
    config = given.load()
    declared, has_rows = declared_here(config), False
    for row in stored_here(config, known=dict(declared)):
        has_rows = True
        if (one := _ahead(declared.pop(row.entry.name, row.entry), row)) is not None:
            yield one
    if config.app is not None and not has_rows:  # no daemon has applied what it declares
        declared = from_app(config) | declared
    for entry in declared.values():
        if (one := _ahead(entry, None)) is not None:
            yield one


def _ahead(entry: Entry, row: Stored | None) -> _Ahead | None:
    runs = 0 if row is None else row.runs
    if not entry.enabled or (row is not None and row.paused) or has_run_out(entry, runs):
        return None
    return _Ahead(entry, None if entry.max_runs is None else entry.max_runs - runs)


def print_runs(runs: Iterator[RunAhead], tz: str, now: datetime) -> None:
    """Print the runs as a table with their moments in the zone `tz`."""
    found: Sequence[RunAhead] = list(runs)
    when, title = table_times(tz, now, (one.planned for one in found))
    print_pages(
        ("next", "in", "entry"),
        ([when(one.planned), distance_text(one.planned - now), one.name] for one in found),
        nothing=NOTHING,
        least={"entry": 16},
        title=title,
    )
