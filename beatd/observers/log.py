"""Turn the daemon's events into log lines.

An event type without an entry in `WORDINGS` writes no line.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from beatd import events
from beatd.canvas import what_runs
from beatd.errors import waiting_for_store
from beatd.incident import Incident
from beatd.ledger import Result
from beatd.observers.outcome_lines import (
    lines_of_failed_runs,
    lines_of_not_received,
    lines_of_outcomes,
    lines_of_received_again,
)
from beatd.observers.pause_lines import lines_of_pauses
from beatd.observers.skip_lines import SkipLines
from beatd.secret import hidden

log = logging.getLogger("beatd")
LINES_PER_BATCH_MAX = 5  # a larger batch gets one line for all its runs that ended alike

Line = tuple[int, str, dict[str, Any]]  # level, text, facts
TimeText = Callable[[datetime], str]


class LogObserver:
    """Observer that writes a log line for most events, with passwords hidden.

    The attribute `facts` of a log record is a dictionary; `JsonLines` writes it as fields of JSON.
    `time_text` formats the times in the text of a line; facts have the times as they are, in UTC.
    """

    def __init__(self, time_text: TimeText = datetime.isoformat) -> None:
        self._wordings = WORDINGS | {
            events.Skipped: SkipLines(time_text),
            events.RunsFailed: partial(lines_of_failed_runs, time_text=time_text),
            events.PausesChanged: partial(lines_of_pauses, time_text=time_text),
        }

    def __call__(self, event: events.Event) -> None:
        lines_of = self._wordings.get(type(event))
        if lines_of is None:
            return
        for level, text, facts in lines_of(event):
            log.log(
                level,
                hidden(text),
                exc_info=event.error if isinstance(event, events.Broke) else None,
                extra={"facts": {"event": type(event).__name__, **facts}},
            )


def _sent(event: events.Sent) -> list[Line]:
    lines: list[Line] = []
    published = [r for r in event.results if r.outcome.sent == "confirmed"]
    if len(published) > LINES_PER_BATCH_MAX and not log.isEnabledFor(logging.DEBUG):
        worst = max(event.late, default=0.0)
        text = f"published {len(published)} runs in {event.seconds * 1000:.0f} ms, "
        text += f"at most {worst:.3f} s late"
        lines.append((logging.INFO, text, {"published": len(published), "late": worst}))
    else:
        lines += [_published(r) for r in published]
    return lines + _open_or_failed([r for r in event.results if r.outcome.sent != "confirmed"])


def _open_or_failed(results: Sequence[Result]) -> list[Line]:
    if len(results) <= LINES_PER_BATCH_MAX or log.isEnabledFor(logging.DEBUG):
        return [_not_published(r) for r in results]
    # A large batch gets one line for each outcome and reason.
    alike: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        alike.setdefault((result.outcome.sent, result.outcome.reason), []).append(result)
    return [_not_published(some[0], among=len(some)) for some in alike.values()]


def _published(result: Result) -> Line:
    run, late = result.run, result.late or 0.0
    text = f"published {run.entry.name} ({what_runs(run.entry)}) id {run.task_id}"
    if late >= 1:
        text += f", {late:.1f} s late"
    return logging.INFO, text, _facts(result) | {"late": late}


def _not_published(result: Result, among: int = 1) -> Line:
    name, outcome = result.run.entry.name, result.outcome
    if among > 1:
        name = f"{name} and {among - 1} more"
    text = {
        "rejected": f"{name} failed: {outcome.reason}",
        "unsent": f"{name} could not be sent yet: {outcome.reason}",
        "unknown": f"{name} may or may not have been sent: {outcome.reason}",
    }[outcome.sent]
    level = logging.ERROR if outcome.sent == "rejected" else logging.WARNING
    facts = _facts(result) | {"reason": outcome.reason}
    return level, text, facts | {"count": among} if among > 1 else facts


def _facts(result: Result) -> dict[str, Any]:
    run = result.run
    return {
        "entry": run.entry.name,
        "task": what_runs(run.entry),
        "planned": run.occurrence.planned.isoformat(),
        "task_id": run.task_id,
        "outcome": result.outcome.sent,
    }


def _line(level: int, text: Callable[[Any], str]) -> Callable[[Any], Sequence[Line]]:
    return lambda event: [(level, text(event), {})]


def _incidents(event: events.IncidentsOpened | events.IncidentsClosed) -> list[Line]:
    opens = isinstance(event, events.IncidentsOpened)
    many = len(event.incidents) > LINES_PER_BATCH_MAX and not log.isEnabledFor(logging.DEBUG)
    if not many:
        return [_incident(one, opens) for one in event.incidents]
    alike: dict[str, list[Incident]] = {}
    for one in event.incidents:
        alike.setdefault(one.kind, []).append(one)
    return [_incident(some[0], opens, among=len(some)) for some in alike.values()]


def _incident(one: Incident, opens: bool, among: int = 1) -> Line:
    who = f" of {one.name}" if one.name else ""
    who += f" and {among - 1} more" if among > 1 else ""
    text = f"incident {'opened' if opens else 'closed'}: {one.kind}{who}: {one.observed}"
    facts = {"entry": one.name, "kind": one.kind, "opened": one.opened.isoformat(), "count": among}
    return logging.WARNING if opens else logging.INFO, text, facts


def _not_sent(event: events.AlertNotSent) -> list[Line]:
    text = f"{event.title!r} was not sent to {event.channel}: {event.reason}"
    text += "; it is not tried again" if event.final else "; it is tried again"
    level = logging.ERROR if event.final else logging.WARNING
    return [(level, text, {"channel": event.channel})]


def _started(event: events.Started) -> list[Line]:
    facts = {key: getattr(event, key) for key in event.__struct_fields__}
    parts = (
        f"beatd {event.version} starts as {event.name}",
        f"configuration {event.config}" if event.config else "no configuration file",
        f"app {event.app}" if event.app else "no app",
        f"broker {event.broker}",
        f"store {event.store}",
        f"lock {event.lock}" if event.lock != event.store else "lock in the store",
        f"http {event.http}" if event.http else "no http",
    )
    return [(logging.INFO, ", ".join(parts), facts)]


def _counted(event: events.EntriesCounted) -> list[Line]:
    counted = f"{event.entries} {'entry' if event.entries == 1 else 'entries'}"
    return [(logging.INFO, f"the store has {counted}", {"entries": event.entries})]


def _level_of_lost_lead(event: events.LeadLost) -> int:
    """Return INFO if the daemon stopped leading because it ended normally, else WARNING."""
    return logging.INFO if event.reason == events.RESIGNED else logging.WARNING


def _lost(event: events.LeadLost) -> str:
    return f"no longer leading: {event.reason}"


def _seen(event: events.LeaderSeen) -> str:
    holder = event.holder
    return f"standing by: {holder.name} leads (pid {holder.pid} on {holder.host})"


def _stepped(seconds: float) -> str:
    if seconds > 0:
        return (
            f"the clock went ahead by {seconds:.0f} s; what that made due follows its catch-up rule"
        )
    quiet = "no run is repeated, so entries are quiet until the moments they had reached"
    return f"the clock went back by {-seconds:.0f} s; {quiet}"


WORDINGS: dict[type[events.Event], Callable[[Any], Sequence[Line]]] = {
    events.Started: _started,
    events.EntriesCounted: _counted,
    events.Sent: _sent,
    events.Unplannable: _line(
        logging.ERROR,
        lambda e: f"{e.name} does not run until it is edited, its plan fails: {e.reason}",
    ),
    events.PausesChanged: lines_of_pauses,
    events.LeadWon: _line(logging.INFO, lambda e: f"leading, term {e.term.number}"),
    events.LeadLost: lambda e: [(_level_of_lost_lead(e), _lost(e), {})],
    events.LeaderSeen: _line(logging.INFO, _seen),
    events.Overdue: _line(
        logging.ERROR,
        lambda e: f"{e.name} is overdue by {e.seconds:.0f} s, and its leader is silent",
    ),
    events.OnTime: _line(logging.INFO, lambda e: "the leader is on time again"),
    events.StoreAway: _line(logging.ERROR, lambda e: waiting_for_store(e.reason)),
    events.StoreBack: _line(logging.INFO, lambda e: f"the store is back after {e.seconds:.1f} s"),
    events.BrokerAway: _line(logging.ERROR, lambda e: f"waiting for the broker: {e.reason}"),
    events.BrokerBack: _line(logging.INFO, lambda e: f"the broker is back after {e.seconds:.1f} s"),
    events.RunsFailed: lines_of_failed_runs,
    events.OutcomesRead: lines_of_outcomes,
    events.RunsNotReceived: lines_of_not_received,
    events.RunsReceivedAgain: lines_of_received_again,
    events.OutcomesAway: _line(
        logging.ERROR, lambda e: f"cannot read what became of runs: {e.reason}"
    ),
    events.OutcomesBack: _line(
        logging.INFO, lambda e: f"what became of runs is read again after {e.seconds:.1f} s"
    ),
    events.LockAway: _line(
        logging.ERROR, lambda e: f"cannot lead, waiting for the lock: {e.reason}"
    ),
    events.LockBack: _line(logging.INFO, lambda e: f"the lock is back after {e.seconds:.1f} s"),
    events.WentBack: _line(logging.ERROR, lambda e: f"the store went back in time: {e.reason}"),
    events.ClockStepped: _line(logging.WARNING, lambda e: _stepped(e.seconds)),
    events.IncidentsOpened: _incidents,
    events.IncidentsClosed: _incidents,
    events.AlertSent: _line(logging.INFO, lambda e: f"{e.title!r} was sent to {e.channel}"),
    events.AlertNotSent: _not_sent,
    events.Broke: _line(logging.ERROR, lambda e: f"the {e.loop} broke and goes on: {e.error!r}"),
    events.Stopped: _line(logging.INFO, lambda e: "stopped"),
}


def in_words(facts: Mapping[str, Any]) -> str:
    """Return facts as text for people, such as `leading yes, term 3, conflicts none`."""
    return ", ".join(f"{key.replace('_', ' ')} {_word(value)}" for key, value in facts.items())


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
