"""Find the entries whose newest run failed, could not be published, expired or was lost."""

from datetime import datetime

from msgspec import Struct

from beatd.catalog import Catalog
from beatd.edits.editing import rows
from beatd.history import History
from beatd.outcome import EntryOutcomes, OutcomeState

FAILURES: frozenset[OutcomeState] = frozenset({"failed", "expired", "lost"})
RECORDS_READ = 500
ALL_READ_MAX = 10_000  # entries; with more of them only those that ran of late are looked at


class Failure(Struct, frozen=True):
    """The failed newest run of an entry, with the number of its failures in a row as `times`."""

    name: str
    at: datetime
    planned: datetime
    word: str
    error: str
    times: int = 1


def failures(catalog: Catalog, history: History, outcomes: EntryOutcomes) -> list[Failure]:
    """Return the newest run of each entry whose newest run failed, the newest first.

    Entries that were removed from the store are left out. With more than ALL_READ_MAX entries, only
    those of the last RECORDS_READ history records are looked at.
    """
    recent = history.history_page(None, RECORDS_READ).records
    found: dict[str, Failure] = {}
    published = set()
    for record in recent:
        if record.state in ("published", "failed") and record.name not in published:
            published.add(record.name)
            if record.state == "failed":
                at = record.published or record.planned
                found[record.name] = Failure(
                    record.name, at, record.planned, "not published", record.reason
                )
    if catalog.count() <= ALL_READ_MAX:
        known = outcomes.entry_outcomes_in(FAILURES)
    else:
        known = outcomes.entry_outcomes(sorted({record.name for record in recent}))
    for name, outcome in known.items():
        newest = outcome.newest
        if newest.state in FAILURES and name not in found:
            found[name] = Failure(
                name, newest.at, newest.planned, newest.state, newest.error, outcome.failures
            )
    there = rows(catalog, found)
    failing = (one for name, one in found.items() if name in there)
    return sorted(failing, key=lambda one: one.at, reverse=True)
