"""Find entries whose newest sent run no worker has received, though workers reported earlier
runs."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from msgspec.structs import replace

from beatd.history import History, Record
from beatd.outcome import EntryOutcome, Outcomes, SentRun

RECORDS_READ = 5  # of one entry: the newest may be of skipped runs
#: How long a run may be on its way from the broker to a worker, and its report back.
ON_ITS_WAY = timedelta(seconds=5)


def shown_outcomes(
    history: History, outcomes: Outcomes, names: Sequence[str], now: datetime
) -> Mapping[str, EntryOutcome]:
    """Return the newest outcome of each entry, by name, with the newest run in `sent` if no worker
    has reported that run.

    An entry without an outcome is left out: its workers may not report.
    """
    known = outcomes.entry_outcomes(names)
    records = history.newest_records(list(known), RECORDS_READ) if known else {}
    return with_sent(known, records, outcomes, now)


def with_sent(
    known: Mapping[str, EntryOutcome],
    records: Mapping[str, Sequence[Record]],
    outcomes: Outcomes,
    now: datetime,
) -> dict[str, EntryOutcome]:
    """Return `known` with the newest run in `sent` of each entry whose newest run no worker has
    reported.

    `records` are the newest records of history of each entry, the newest first.
    """
    sent = {
        name: run
        for name, outcome in known.items()
        if (run := sent_after(outcome, records.get(name, ()), now)) is not None
    }
    reported = outcomes.outcomes([run.task_id for run in sent.values()]) if sent else {}
    return {
        name: replace(outcome, sent=sent[name])
        if name in sent and sent[name].task_id not in reported
        else outcome
        for name, outcome in known.items()
    }


def sent_after(outcome: EntryOutcome, records: Sequence[Record], now: datetime) -> SentRun | None:
    """Return the newest run of an entry that was sent, or None if `outcome` is of that run or of a
    run that has no record yet.

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
    since = min(sent)
    if len(sent) == RECORDS_READ:  # there are more
        since = min(since, outcome.newest.planned)
    if now - since < ON_ITS_WAY:
        return None
    return SentRun(newest.task_id, newest.planned, newest.published)
