"""When a daemon must not lead."""

import pytest

from beatd.engine.may_lead import may_lead


@pytest.mark.parametrize(
    ("tick_age_s", "broker_away_s", "others_reach_broker", "expected"),
    [
        (0, 0, True, True),
        (9.9, 5, True, True),
        (10, 0, False, False),
        (0, 5.1, True, False),
        (0, 5.1, False, True),
        (10, 5.1, False, False),
    ],
)
def test_a_daemon_that_is_stuck_or_alone_without_its_broker_must_not_lead(
    tick_age_s: float, broker_away_s: float, others_reach_broker: bool, expected: bool
) -> None:
    answer = may_lead(
        tick_age_s=tick_age_s, broker_away_s=broker_away_s, others_reach_broker=others_reach_broker
    )
    assert answer is expected
