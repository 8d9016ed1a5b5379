"""Find entries whose newest sent run no worker has received, though workers reported earlier
runs."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from msgspec import Struct
from msgspec.structs import replace

from beatd.catalog import Catalog, Query, Stored
from beatd.history import History, Record
from beatd.outcome import RUN_ENDS, EntryOutcome, Outcomes, SentRun
from beatd.run import Running

RECORDS_READ = 5  # of one entry: the newest may be of skipped runs
#: How long a run may be on its way from the broker to a worker, and its report back.
ON_ITS_WAY = timedelta(seconds=5)
ENTRIES_READ_MAX = 500  # with more of them only those that ran of late are looked at
RECENT_RECORDS_READ = 500  # of all entries together


class NotReceived(Struct, frozen=True):
    """The entries whose newest sent run no worker has received, by name, each with that run.

    `at_least` is True if there may be more, because not all entries were looked at.
    """

    entries: Sequence[tuple[Stored, SentRun]]
    at_least: bool


def not_received(
    catalog: Catalog, history: History, outcomes: Outcomes, now: datetime, *, entries: int
) -> NotReceived:
    """Return the entries of the store whose newest sent run no worker has received.

    Entries without any outcome are left out: their workers may not report. `entries` is their
    number in the store. With more than ENTRIES_READ_MAX, only those of the last
    RECENT_RECORDS_READ history records are looked at.
    """
    reads_all = entries <= ENTRIES_READ_MAX
    newest: dict[str, str | None] = {}  # task ids of the newest runs that ended, by entry
    for record in history.history(None, RECENT_RECORDS_READ):
        if newest.get(record.name) is None:
            ended = record.state in ("published", "failed")
            newest[record.name] = record.task_id if ended else None
    known = outcomes.entry_outcomes(None if reads_all else sorted(newest))
    # Most runs were received: their entries need no further statement.
    names = tuple(name for name, one in known.items() if newest.get(name) != one.newest.task_id)
    rows = list(catalog.find(Query(names=names))) if names else []
    shown = with_sent(history, outcomes, rows, now) if rows else {}
    sent = ((row, one.sent) for row in rows if (one := shown.get(row.entry.name)) is not None)
    return NotReceived([(row, run) for row, run in sent if run is not None], not reads_all)


def has_no_end(running: Running | None, outcome: EntryOutcome, now: datetime) -> bool:
    """Return True if no end is known of the newest run of an entry.

    `running` is the run that the next one must not overlap.
    """
    newest = outcome.newest
    if outcome.sent is not None or newest.state not in RUN_ENDS:
        return True
    return running is not None and running.until > now and running.task_id != newest.task_id


def with_sent(
    history: History, outcomes: Outcomes, rows: Sequence[Stored], now: datetime
) -> Mapping[str, EntryOutcome]:
    """Return the newest outcome of each entry of `rows`, by name, with the newest run in `sent` if
    no worker has reported that run.

    An entry without an outcome is left out: its workers may not report.
    """
    known = outcomes.entry_outcomes([row.entry.name for row in rows])
    records = history.newest_records(list(known), RECORDS_READ) if known else {}
    sent = {
        name: run
        for row in rows
        if (name := row.entry.name) in known
        and (run := sent_last(row.running, known[name], records.get(name, ()), now)) is not None
    }
    reported = outcomes.outcomes([run.task_id for run in sent.values()]) if sent else {}
    return {
        name: replace(outcome, sent=sent[name])
        if name in sent and sent[name].task_id not in reported
        else outcome
        for name, outcome in known.items()
    }


def sent_last(
    running: Running | None, outcome: EntryOutcome, records: Sequence[Record], now: datetime
) -> SentRun | None:
    """Return the newest run of an entry that was sent and that workers had time to report.

    Return None if `outcome` is of that run. `running` is the run that the next one must not
    overlap; the newest `records`, the newest first, may all be of runs that were skipped for it.
    """
    if running is None or running.until <= now:
        return sent_after(outcome, records, now)
    if running.task_id == outcome.newest.task_id or now - running.since < ON_ITS_WAY:
        return None
    record = next((one for one in records if one.task_id == running.task_id), None)
    planned = running.since if record is None else record.planned
    return SentRun(running.task_id, planned, running.since)


def sent_after(outcome: EntryOutcome, records: Sequence[Record], now: datetime) -> SentRun | None:
    """Return the newest run of an entry that was sent, or None if `outcome` is of that run or of a
    newer one, which was not recorded as sent yet.

    Return None, too, if all runs that were sent since the one of `outcome` may still be on their
    way to a worker.
    """
    newest = next((one for one in records if one.state in ("published", "failed")), None)
    if newest is None or newest.state == "failed" or newest.published is None:
        return None
    has_record = any(one.task_id == outcome.newest.task_id for one in records)
    if newest.task_id == outcome.newest.task_id or (
        not has_record and outcome.newest.planned > newest.published
    ):
        return None
    until_outcome = takewhile(lambda one: one.task_id != outcome.newest.task_id, records)
    sent = [one.published for one in until_outcome if one.published is not None]
    if not sent:  # the run of `outcome` is newer: it was reported before it was recorded
        return None
    since = min(sent)
    if len(sent) == RECORDS_READ:  # there are more
        since = min(since, outcome.newest.planned)
    if now - since < ON_ITS_WAY:
        return None
    return SentRun(newest.task_id, newest.planned, newest.published)
