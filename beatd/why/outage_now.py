"""Find an outage that stops all runs: no leader, or an unreachable store or broker."""

from beatd.why.answer import Cause
from beatd.why.facts import Facts


def outage_now(facts: Facts) -> tuple[Cause, str] | None:
    """Return the cause and the text of an outage that stops all runs, or None if there is none."""
    leader = facts.leader
    if leader is None:
        others = f" ({len(facts.daemons)} stand by)" if facts.daemons else ", no daemon runs"
        return "nobody leads", f"nobody leads{others}"
    if facts.refusal:
        return "store away", f"the store refuses writes: {facts.refusal}"
    if not leader.broker_ok:
        return "broker away", f"the leader cannot reach the broker: {leader.broker or 'no answer'}"
    return None
