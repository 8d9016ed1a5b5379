"""Decide whether a daemon is healthy enough to be the leader."""

TICK_STALE_AFTER_S = 10.0  # longer than any tick
BROKER_AWAY_LIMIT_S = 5.0  # then another daemon that reaches the broker should lead


def may_lead(*, tick_age_s: float, broker_away_s: float, others_reach_broker: bool) -> bool:
    """Return False if the daemon is stuck, or if it cannot reach the broker but others can.

    `tick_age_s` is the time since the daemon's last scheduling pass, and `broker_away_s` the time
    without the broker.
    """
    if tick_age_s >= TICK_STALE_AFTER_S:
        return False
    return broker_away_s <= BROKER_AWAY_LIMIT_S or not others_reach_broker
