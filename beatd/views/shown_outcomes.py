"""Find the newest outcomes of entries as lists and pages show them, also while no daemon leads."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.last_sent import has_no_end, with_sent
from beatd.outcome import EntryOutcome
from beatd.store import Roles


def shown_outcomes(
    store: Roles, rows: Sequence[Stored], now: datetime
) -> Mapping[str, EntryOutcome]:
    """Return the newest outcome of each entry of `rows`, by name, with the newest run in `sent` if
    no worker has reported that run.

    While no daemon leads, an outcome is `unread` if no end of the newest run is known. An entry
    without an outcome is left out: its workers may not report.
    """
    known = with_sent(store.history, store.outcomes, rows, now)
    running = {row.entry.name: row.running for row in rows}
    endless = [one for one in known.values() if has_no_end(running[one.name], one, now)]
    if not endless or store.leader() is not None:
        return known
    return {**known, **{one.name: replace(one, unread=True) for one in endless}}
