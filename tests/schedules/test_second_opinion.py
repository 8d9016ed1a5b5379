"""Where croniter reads a cron text differently, and what is said of it."""

from datetime import UTC, datetime

import pytest

from beatd.schedules.second_opinion import difference

SINCE = datetime(2026, 11, 27, 18, 0, tzinfo=UTC)

# text, croniter's moment, ours, a part of the rule
DIFFERENT = [
    ("0 0 */2 * mon", "2026-11-29T00:00", "2026-12-07T00:00", "both day fields must match"),
    ("0 9 1-7 * */2", "2026-11-28T09:00", "2026-12-01T09:00", "both day fields must match"),
    ("*/5 * */3 * tue", "2026-11-28T00:00", "2026-12-01T00:00", "both day fields must match"),
    ("0 0 15-15 * *", "2026-11-28T00:00", "2026-12-15T00:00", "a range from a value to itself"),
    ("30 5-5 9 * * *", "2026-11-28T09:00", "2026-11-28T09:05", "a range from a value to itself"),
    ("0 0 15W * mon", "2026-12-15T00:00", "2026-11-30T00:00", "does not apply that to L, W and #"),
    ("0 0 0 */2 * mon", "2026-11-29T00:00", "2026-12-07T00:00", "both day fields must match"),
    # The times alone agree for more than an hour, on a day of both: the days are compared alone.
    ("* * */2 * fri", "2026-11-29T00:00", "2026-12-11T00:00", "both day fields must match"),
    ("0 * * */2 * fri", "2026-11-29T00:00", "2026-12-11T00:00", "both day fields must match"),
    (
        "0 * * */2 * fri 2026-2099",
        "2026-11-29T00:00",
        "2026-12-11T00:00",
        "both day fields must match",
    ),
    # The first run is that of both.
    ("0 0 */27 * sat", "2026-12-01T00:00", "2027-05-01T00:00", "both day fields must match"),
]
ALIKE = [
    "* * * * *", "*/15 9-17 * * mon-fri", "30 2 * * *", "0 0 1 * mon", "@daily", "0 0 L * *",
    "0 9 * * mon#1", "0 0 29 2 *", "10 0 0 * * *", "0 0 * jan-mar sun", "5/20 * * * *",
    "0 0 0 1 1 * 2030", "0 22 * * fri-sun",
]  # fmt: skip


@pytest.mark.parametrize(("text", "theirs", "ours", "rule"), DIFFERENT)
def test_the_first_moment_at_which_the_two_part_is_named_with_the_rule(
    text: str, theirs: str, ours: str, rule: str
) -> None:
    found = difference(text, SINCE)
    assert found is not None
    assert found.theirs is not None and found.ours is not None
    assert (found.theirs.isoformat()[:16], found.ours.isoformat()[:16]) == (theirs, ours)
    assert rule in found.rule
    assert "croniter reads it differently: it runs" in str(found)


def test_a_difference_is_told_in_one_sentence() -> None:
    assert str(difference("0 0 15 * fri#2", SINCE)) == (
        "croniter reads it differently: it runs never again, beatd Fri 2026-12-11 00:00:00; where "
        "both day fields are restricted, either one matches here, as in cronie; croniter does not "
        "apply that to L, W and #"
    )


@pytest.mark.parametrize("text", ALIKE)
def test_nothing_is_said_where_both_agree(text: str) -> None:
    assert difference(text, SINCE) is None


@pytest.mark.parametrize("text", ["H 3 * * *", "H/15 * * * *", "0 0 L-3 * *", "not a cron text"])
def test_nothing_is_said_of_what_only_one_can_read(text: str) -> None:
    assert difference(text, SINCE) is None
