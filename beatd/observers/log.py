"""The wording of every event: one line each, in text or JSON, and silence when nothing happens."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import json

from beatd import events
from beatd.ledger import Result
from beatd.run import Skip

log = logging.getLogger("beatd")
FEW = 5  # a batch up to this size is told run by run, a larger one in one line

Line = tuple[int, str, dict[str, Any]]


class LogObserver:
    """Turns events into records of the logger `beatd`; their facts ride along for JSON."""

    def __call__(self, event: events.Event) -> None:
        word = WORDS.get(type(event))
        if word is None:
            return
        for level, text, facts in word(event):
            log.log(level, text, extra={"facts": {"event": type(event).__name__, **facts}})


def _sent(event: events.Sent) -> list[Line]:
    lines: list[Line] = []
    published = [r for r in event.results if r.outcome.sent == "confirmed"]
    if len(published) > FEW and not log.isEnabledFor(logging.DEBUG):
        worst = max((lateness(r) for r in published if not by_hand(r)), default=0.0)
        text = f"published {len(published)} runs in {event.seconds * 1000:.0f} ms, "
        text += f"at most {worst:.3f} s late"
        lines.append((logging.INFO, text, {"published": len(published), "late": worst}))
    else:
        lines += [_published(r) for r in published]
    return lines + [_not_published(r) for r in event.results if r.outcome.sent != "confirmed"]


def _published(result: Result) -> Line:
    run, late = result.run, lateness(result)
    text = f"published {run.entry.name} ({run.entry.task}) id {run.task_id}"
    if late >= 1 and not by_hand(result):
        text += f", {late:.1f} s late"
    return logging.INFO, text, _facts(result) | {"late": late}


def _not_published(result: Result) -> Line:
    name, outcome = result.run.entry.name, result.outcome
    said = {
        "rejected": f"{name} failed: {outcome.reason}",
        "unsent": f"{name} was not sent, it is tried again: {outcome.reason}",
        "unknown": f"{name} may or may not have been sent: {outcome.reason}",
    }[outcome.sent]
    level = logging.ERROR if outcome.sent == "rejected" else logging.WARNING
    return level, said, _facts(result) | {"reason": outcome.reason}


def _facts(result: Result) -> dict[str, Any]:
    run = result.run
    return {
        "entry": run.entry.name,
        "task": run.entry.task,
        "planned": run.occurrence.planned.isoformat(),
        "task_id": run.task_id,
        "outcome": result.outcome.sent,
    }


def by_hand(result: Result) -> bool:
    """Triggered or backfilled: such a run has no moment that it could be late for."""
    return bool(result.run.occurrence.request)


def lateness(result: Result) -> float:
    return max(0.0, (result.at - result.run.due).total_seconds())


def _skipped(event: events.Skipped) -> list[Line]:
    skip = event.skip
    return [(logging.WARNING, f"{event.name} skipped {_stretch(skip)}: {skip.reason}", {
        "entry": event.name, "planned": skip.planned.isoformat(), "until": skip.until.isoformat(),
        "count": skip.count, "reason": skip.reason,
    })]  # fmt: skip


def _stretch(skip: Skip) -> str:
    if skip.count == 1 and not skip.at_least:
        return f"the run of {skip.planned.isoformat()}"
    least = "at least " if skip.at_least else ""
    return f"{least}{skip.count} runs, {skip.planned.isoformat()} to {skip.until.isoformat()}"


def _line(level: int, text: Callable[[Any], str]) -> Callable[[Any], Sequence[Line]]:
    return lambda event: [(level, text(event), {})]


def _gravity(event: events.LeadLost) -> int:
    """Giving the lead up at the end is what was asked for."""
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


WORDS: dict[type[events.Event], Callable[[Any], Sequence[Line]]] = {
    events.Sent: _sent,
    events.Skipped: _skipped,
    events.LeadWon: _line(logging.INFO, lambda e: f"leading, term {e.term.number}"),
    events.LeadLost: lambda e: [(_gravity(e), _lost(e), {})],
    events.LeaderSeen: _line(logging.INFO, _seen),
    events.Overdue: _line(
        logging.ERROR,
        lambda e: f"{e.name} is overdue by {e.seconds:.0f} s, and its leader is silent",
    ),
    events.OnTime: _line(logging.INFO, lambda e: "the leader is on time again"),
    events.StoreAway: _line(logging.ERROR, lambda e: f"waiting for the store: {e.reason}"),
    events.StoreBack: _line(logging.INFO, lambda e: f"the store is back after {e.seconds:.1f} s"),
    events.BrokerAway: _line(logging.ERROR, lambda e: f"waiting for the broker: {e.reason}"),
    events.BrokerBack: _line(logging.INFO, lambda e: f"the broker is back after {e.seconds:.1f} s"),
    events.WentBack: _line(logging.ERROR, lambda e: f"the store went back in time: {e.reason}"),
    events.ClockStepped: _line(logging.WARNING, lambda e: _stepped(e.seconds)),
    events.Stopped: _line(logging.INFO, lambda e: "stopped"),
}


class TextLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        text = record.getMessage().replace("\n", "\\n")
        line = f"{at.replace('+00:00', 'Z')} {record.levelname.lower():7} {text}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat()
        line = {"at": at, "level": record.levelname.lower(), "message": record.getMessage()}
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.encode(line).decode()
