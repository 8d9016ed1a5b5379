"""Find an outage that stops all runs: no leader, or an unreachable store or broker."""

from datetime import datetime, timedelta

from msgspec import Struct

from beatd.why.answer import Cause
from beatd.why.facts import Facts
from beatd.why.time_words import TimeWords

STORE_COPIED = "the store was copied"
REOPEN = "`beatd store reopen`"


class Outage(Struct, frozen=True):
    """An outage that stops all runs: what they wait for, why, and since when if that is known.

    `is_over` says what must be before a run can be sent, such as "the broker is back".
    """

    cause: Cause
    waits_for: str
    why: str
    is_over: str
    since: datetime | None

    def waits(self, words: TimeWords) -> str:
        """Return what a run waits for, such as "waits for the broker, away since …: refused"."""
        if self.cause == "store copied":
            return f"waits for {self.waits_for}"
        since = "" if self.since is None else f" since {words.about(self.since)}"
        if self.cause == "nobody leads":
            return f"waits for {self.waits_for}: nobody leads{since}, {self.why}"
        away = f", away{since}" if since else ""
        return f"waits for {self.waits_for}{away}: {self.why}"


def outage_now(facts: Facts) -> Outage | None:
    """Return the outage that stops all runs now, or None if there is none."""
    leader = facts.leader
    if leader is None and facts.copied is not None:
        opened = "the store is opened again"
        return Outage("store copied", REOPEN, "it was copied", opened, None)
    if leader is None:
        who, since = _who_is_there(facts), facts.reloads_since
        return _outage(facts, "nobody leads", "a leader", who, "a daemon leads", since)
    if facts.refusal:
        why = f"it refuses writes: {facts.refusal}"
        return _outage(facts, "store away", "the store", why, "the store is back")
    if not leader.broker_ok:
        why = f"the leader cannot reach it: {leader.broker or 'no answer'}"
        away_s = leader.stats.get("broker_away")  # a daemon of an older beatd does not say it
        since = None
        if away_s is not None:  # the milliseconds would differ in each answer
            since = (leader.seen_at - timedelta(seconds=away_s)).replace(microsecond=0)
        return _outage(facts, "broker away", "the broker", why, "the broker is back", since)
    return None


def copied_text(facts: Facts, words: TimeWords) -> str:
    """Return where the store was copied to, if no daemon runs on it for that reason, or ""."""
    if facts.copied is None or facts.leader is not None:
        return ""
    at = words.about(facts.copied.at.replace(microsecond=0))
    return f"{STORE_COPIED} to {facts.copied.place} at {at}; no daemon runs here until {REOPEN}"


def _outage(
    facts: Facts,
    cause: Cause,
    waits_for: str,
    why: str,
    is_over: str,
    since: datetime | None = None,
) -> Outage:
    if since is None:
        since = next((one.opened for one in facts.incidents if one.kind == cause), None)
    return Outage(cause, waits_for, why, is_over, since)


def _who_is_there(facts: Facts) -> str:
    if facts.reloads_since is not None:
        return "but a daemon is reloading, and leads again in a moment"
    if not facts.daemons:
        return "no daemon runs"
    count = len(facts.daemons)
    return "1 daemon stands by" if count == 1 else f"{count} daemons stand by"
