"""Judge one entry: compare its runs with its `alert`, and find incidents to open or close."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from beatd.alerts.outages import Outage, outage_at, time_away
from beatd.alerts.span_text import span_text
from beatd.entry import Alert
from beatd.incident import Incident, IncidentKind
from beatd.outcome import DELIVERY_ENDS, EntryOutcome

REJECTED = "rejected by the broker"
NO_LONGER_JUDGED = "no longer judged: paused, disabled, removed, or without this rule"
KINDS: tuple[IncidentKind, ...] = ("failed", "late", "missing", "running")


class Publishing(Struct, frozen=True, kw_only=True):
    """How the broker answered to the newest runs of an entry, as this daemon saw it.

    `rejected` counts the rejected runs in a row; `rejection` is the reason of the newest of them,
    `rejected_task_id` its task id. `confirmed` counts the runs accepted since. `planned` and `at`
    are the planned and the publishing time of the newest accepted run of the schedule.
    """

    rejected: int = 0
    rejection: str = ""
    rejected_task_id: str = ""
    confirmed: int = 0
    planned: datetime | None = None
    at: datetime | None = None


class Facts(Struct, frozen=True, kw_only=True):
    """The facts about one entry from which its alerts are decided.

    `since` is the moment from which a success is missing, if no outcome is known. `resumed` is the
    moment when the entry was resumed or enabled; earlier outcomes are not judged.
    """

    name: str
    alert: Alert
    since: datetime
    resumed: datetime | None = None
    outcome: EntryOutcome | None = None
    publishing: Publishing = Publishing()


class Situation(Struct, frozen=True, kw_only=True):
    """The state of the installation at `now`, by which all entries are judged for alerts.

    Runs within `margin` of an outage are not judged. `led_since` is the moment when this daemon
    became the leader; runs planned before it may be late. While `settling` is True, shortly after
    that moment, no incident opens.
    """

    now: datetime
    outages: Sequence[Outage] = ()
    margin: timedelta = timedelta(seconds=30)
    led_since: datetime | None = None
    settling: bool = False

    @property
    def cause(self) -> Outage | None:
        """Return the outage that lasts, or ended at most `margin` ago; None if there is none."""
        return outage_at(self.outages, self.now, self.margin)

    def explains(self, moment: datetime) -> bool:
        """Return True if an outage may have caused what happened at this moment."""
        return outage_at(self.outages, moment, self.margin) is not None


class Finding(Struct, frozen=True):
    """One incident to open or, if `opens` is False, to close.

    `since` is when the trouble began (None: now). `task_id` is the task id of the run that caused
    it, or "".
    """

    kind: IncidentKind
    opens: bool
    observed: str
    threshold: str = ""
    cause: str = ""
    since: datetime | None = None
    task_id: str = ""


def judge(facts: Facts, opened: Mapping[IncidentKind, Incident], at: Situation) -> list[Finding]:
    """Return the incidents of one entry to open and to close.

    `opened` has its open incidents by kind. Nothing opens during an outage, shortly after one, or
    while `at.settling` is True. An incident closes only on evidence, such as a success, or if the
    entry's `alert` no longer has its rule.
    """
    quiet = at.settling or at.cause is not None
    found = []
    for kind, rule in _RULES.items():
        finding = rule(facts, opened.get(kind), at)
        if finding is not None and not (finding.opens and quiet):
            found.append(finding)
    return found


def closing_all(opened: Mapping[IncidentKind, Incident]) -> list[Finding]:
    """Return findings that close all open incidents of an entry that is no longer judged."""
    return [Finding(kind, False, NO_LONGER_JUDGED) for kind in opened]


def _failed(facts: Facts, opened: Incident | None, at: Situation) -> Finding | None:
    limit, outcome, publishing = facts.alert.failed, facts.outcome, facts.publishing
    if limit is None:
        return _closed_without_rule("failed", opened)
    if opened is not None:
        if opened.cause == REJECTED:
            good = publishing.confirmed
        else:
            good = outcome.successes if outcome is not None else 0
        if good >= facts.alert.recovered and not publishing.rejected:
            times = "1 success" if good == 1 else f"{good} successes in a row"
            words = f"{good} accepted by the broker" if opened.cause == REJECTED else times
            return Finding("failed", False, words)
        return None
    failures, why = publishing.rejected, publishing.rejection
    cause, task_id = REJECTED if failures else "", publishing.rejected_task_id
    if outcome is not None and outcome.failures and not _is_old(facts, outcome, at):
        failures += outcome.failures
        newest = outcome.newest
        if not task_id and newest.state in DELIVERY_ENDS:  # not one that runs after the failure
            task_id = newest.task_id
        why = why or (f"{newest.state}: {newest.error}" if newest.error else newest.state)
    if failures < limit:
        return None
    times = "1 failure" if failures == 1 else f"{failures} failures in a row"
    observed = f"{times}, the last: {why}"
    return Finding("failed", True, observed, f"failed: {limit}", cause, task_id=task_id)


def _is_old(facts: Facts, outcome: EntryOutcome, at: Situation) -> bool:
    newest, resumed = outcome.newest, facts.resumed
    if at.explains(newest.at):
        return True
    if resumed is None or (outcome.last_success is not None and outcome.last_success >= resumed):
        return False
    # If the newest run has not ended, all failures before it may be older than the resume.
    return newest.at < resumed or newest.state not in DELIVERY_ENDS


def _late(facts: Facts, opened: Incident | None, at: Situation) -> Finding | None:
    limit, planned, sent = facts.alert.late, facts.publishing.planned, facts.publishing.at
    if limit is None:
        return _closed_without_rule("late", opened)
    if planned is None or sent is None:
        return None
    late = sent - planned
    if opened is not None:
        if sent > opened.opened and late <= limit:
            return Finding("late", False, f"published {span_text(late)} after its moment")
        return None
    taken_over = at.led_since is not None and planned < at.led_since
    if late <= limit or taken_over or at.explains(planned) or at.explains(sent):
        return None
    observed = f"published {span_text(late)} after its moment"
    return Finding("late", True, observed, f"late: {span_text(limit)}")


def _missing(facts: Facts, opened: Incident | None, at: Situation) -> Finding | None:
    limit = facts.alert.missing
    if limit is None:
        return _closed_without_rule("missing", opened)
    since = missing_since(facts)
    away = time_away(at.outages, since, at.now)
    if at.now - since - away > limit:
        observed = f"no success for {span_text(at.now - since)}"
        if opened is None:
            return Finding("missing", True, observed, f"missing: {span_text(limit)}")
    elif opened is not None and since > opened.opened:
        return Finding("missing", False, "a success")
    elif opened is not None and at.now - since <= limit:  # the rule was changed
        return Finding("missing", False, f"a success {span_text(at.now - since)} ago")
    return None


def missing_since(facts: Facts) -> datetime:
    """Return the moment from which an entry's next success is missing.

    This is the last success, else the first outcome, else `facts.since`; or the moment when the
    entry was resumed, if that is later.
    """
    outcome = facts.outcome
    since = facts.since
    if outcome is not None:
        since = outcome.last_success or outcome.first or facts.since
    return max(since, facts.resumed) if facts.resumed is not None else since


def _running(facts: Facts, opened: Incident | None, at: Situation) -> Finding | None:
    limit, outcome = facts.alert.running, facts.outcome
    if limit is None:
        return _closed_without_rule("running", opened)
    newest = outcome.newest if outcome is not None else None
    if newest is None:
        return None
    began = newest.started
    if newest.state in DELIVERY_ENDS or began is None or at.now - began <= limit:
        if opened is None:
            return None
        return Finding("running", False, f"its newest run: {newest.state}")
    if opened is not None:
        return None
    where = f" on {newest.worker}" if newest.worker else ""
    observed = f"running for {span_text(at.now - began)}{where}, task id {newest.task_id}"
    threshold = f"running: {span_text(limit)}"
    return Finding("running", True, observed, threshold, task_id=newest.task_id)


def _closed_without_rule(kind: IncidentKind, opened: Incident | None) -> Finding | None:
    return None if opened is None else Finding(kind, False, NO_LONGER_JUDGED)


_Rule = Callable[[Facts, Incident | None, Situation], Finding | None]
_RULES: dict[IncidentKind, _Rule] = {
    "failed": _failed,
    "late": _late,
    "missing": _missing,
    "running": _running,
}
