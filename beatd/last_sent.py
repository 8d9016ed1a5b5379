"""Find entries whose newest sent run no worker has received, though workers reported earlier
runs."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from beatd.history import History, Record
from beatd.outcome import EntryOutcome, Outcomes, SentRun

RECORDS_READ = 5  # of one entry: the newest may be of skipped runs


def shown_outcomes(
    history: History, outcomes: Outcomes, names: Sequence[str]
) -> Mapping[str, EntryOutcome]:
    """Return the newest outcome of each entry, by name, with the newest run in `sent` if no worker
    has reported that run.

    An entry without an outcome is left out: its workers may not report.
    """
    known = outcomes.entry_outcomes(names)
    records = history.newest_records(list(known), RECORDS_READ) if known else {}
    return with_sent(known, records, outcomes)


def with_sent(
    known: Mapping[str, EntryOutcome],
    records: Mapping[str, Sequence[Record]],
    outcomes: Outcomes,
) -> dict[str, EntryOutcome]:
    """Return `known` with the newest run in `sent` of each entry whose newest run no worker has
    reported.

    `records` are the newest records of history of each entry, the newest first.
    """
    sent = {
        name: run
        for name, outcome in known.items()
        if (run := sent_after(outcome, records.get(name, ()))) is not None
    }
    reported = outcomes.outcomes([run.task_id for run in sent.values()]) if sent else {}
    return {
        name: replace(outcome, sent=sent[name])
        if name in sent and sent[name].task_id not in reported
        else outcome
        for name, outcome in known.items()
    }


def sent_after(outcome: EntryOutcome, records: Sequence[Record]) -> SentRun | None:
    """Return the newest run of an entry that was sent, or None if `outcome` is of that run or of a
    run that has no record yet."""
    newest = next((one for one in records if one.state in ("published", "failed")), None)
    if newest is None or newest.state == "failed" or newest.published is None:
        return None
    has_record = any(one.task_id == outcome.newest.task_id for one in records)
    if newest.task_id == outcome.newest.task_id or (
        not has_record and outcome.newest.planned > newest.published
    ):
        return None
    return SentRun(newest.task_id, newest.planned, newest.published)
