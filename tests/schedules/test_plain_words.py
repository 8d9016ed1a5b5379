"""What is said of plain data that is no schedule, and of a place that has no sun."""

from collections.abc import Callable

import pytest

pytest.importorskip("ephem")

from beatd.errors import ScheduleError
from beatd.schedules import at, cron, crontab, rrule, schedule_from, solar

BERLIN = {"tz": "Europe/Berlin"}
EVENTS = (
    "dawn_astronomical, dawn_nautical, dawn_civil, sunrise, solar_noon, sunset, dusk_civil, "
    "dusk_nautical, dusk_astronomical"
)
SUN = "{event: sunset, lat: 31.2, lon: 121.5}"
REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: schedule_from({"x": 1}), "a schedule has no 'x'; it has one of every, cron, crontab, "
     "at, solar, rrule"),
    (lambda: schedule_from({"phas": 1}), "a schedule has no 'phas'; did you mean phase?"),
    (lambda: schedule_from({}), "a schedule has exactly one of every, cron, crontab, at, solar, "
     "rrule; this has none"),
    (lambda: schedule_from({"every": 1, "at": 2}), "a schedule has exactly one of every, cron, "
     "crontab, at, solar, rrule; this has every and at"),
    (lambda: schedule_from({"phase": 1}), "a schedule has exactly one of every, cron, crontab, at, "
     "solar, rrule; this has none"),
    (lambda: schedule_from({"cron": "@daily", "phase": 1}),
     "phase shifts the grid of an every; cron has none"),
    (lambda: schedule_from({"at": "2027-01-01", "spread": True}),
     "spread shifts the grid of an every; at has none"),
    (lambda: schedule_from({"every": "5m"}, dst_gap="x"), "dst_gap: 'x' is neither run nor skip"),
    (lambda: schedule_from({"crontab": "0 2 * * *"}), "crontab is a mapping such as {minute: 0, "
     "hour: '*/3'}; for the text '0 2 * * *' write cron:"),
    (lambda: schedule_from({"crontab": 5}), "crontab is a mapping such as {minute: 0, "
     "hour: '*/3'}, not 5; for a cron text write cron:"),
    (lambda: schedule_from({"rrule": 5}),
     "5 is not a recurrence rule; write it like FREQ=DAILY;BYHOUR=9"),
    (lambda: crontab("* * * * *", minute=5, hour=6),
     "crontab takes a cron text or fields, not both; got '* * * * *' and minute, hour"),
    (lambda: solar("x", 0, 0), f"solar has no event 'x'; there are {EVENTS}"),
    (lambda: schedule_from({"solar": {"event": ["sunset"], "lat": 0, "lon": 0}}),
     "solar has no event ['sunset']; did you mean sunset?"),
    (lambda: solar("dusk_civl", 0, 0), "solar has no event 'dusk_civl'; did you mean dusk_civil?"),
    (lambda: schedule_from({"solar": "x"}), f"solar is a mapping such as {SUN}, not 'x'"),
    (lambda: schedule_from({"solar": {"x": 1}}), "solar has no 'x'; it has event, lat, lon"),
    (lambda: schedule_from({"solar": {"latitude": 1}}),
     "solar has no 'latitude'; did you mean lat?"),
    (lambda: schedule_from({"solar": {"longitude": 1}}),
     "solar has no 'longitude'; did you mean lon?"),
    (lambda: schedule_from({"solar": {"long": 1}}), "solar has no 'long'; did you mean lon?"),
    (lambda: schedule_from({"solar": {"lat": 1, "lon": 1}}), f"solar needs event; write {SUN}"),
    (lambda: schedule_from({"solar": {"event": "sunset", "lat": 1}}),
     f"solar needs lon; write {SUN}"),
    (lambda: solar("sunset", True, 0), "solar lat True is not a number of degrees"),
    (lambda: solar("sunset", float("nan"), 0), "solar lat nan is not a number of degrees"),
    (lambda: solar("sunset", 90.1, 0), "solar lat 90.1 is not between -90 and 90"),
    (lambda: solar("sunset", -90.1, 0), "solar lat -90.1 is not between -90 and 90"),
    (lambda: solar("sunset", 0, 180.1), "solar lon 180.1 is not between -180 and 180"),
    (lambda: solar("sunset", 0, -180.1), "solar lon -180.1 is not between -180 and 180"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_a_refusal_says_this_and_no_more(build: Callable[[], object], words: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        build()
    assert str(refused.value) == words


SAME: list[tuple[Callable[[], object], Callable[[], object]]] = [
    # what is left out: UTC, run after a gap, and at the first of two
    (lambda: schedule_from({"cron": "30 2 * * *"}), lambda: cron("30 2 * * *", tz="UTC")),
    (lambda: schedule_from({"cron": "H 2 * * *"}), lambda: cron("H 2 * * *", name="")),
    (lambda: schedule_from({"cron": "30 2 * * *"}, **BERLIN),
     lambda: cron("30 2 * * *", **BERLIN, dst_gap="run", dst_fold="first")),
    (lambda: cron("30 2 * * *", **BERLIN),
     lambda: cron("30 2 * * *", **BERLIN, dst_gap="run", dst_fold="first")),
    (lambda: crontab("30 2 * * *", **BERLIN),
     lambda: crontab("30 2 * * *", **BERLIN, dst_gap="run", dst_fold="first")),
    (lambda: crontab(minute=30, hour=2, **BERLIN),
     lambda: cron("30 2 * * *", **BERLIN, dst_gap="run", dst_fold="first")),
    (lambda: rrule("FREQ=DAILY", **BERLIN),
     lambda: rrule("FREQ=DAILY", **BERLIN, dst_gap="run", dst_fold="first")),
    (lambda: crontab("30 2 * * *"), lambda: crontab("30 2 * * *", tz="UTC")),
    (lambda: crontab(minute=30, hour=2), lambda: crontab(minute=30, hour=2, tz="UTC")),
    (lambda: rrule("FREQ=DAILY"), lambda: rrule("FREQ=DAILY", tz="UTC")),
    (lambda: at("2027-01-01"), lambda: at("2027-01-01", tz="UTC")),
    # each passes on what is given
    (lambda: schedule_from({"cron": "30 2 * * *"}, **BERLIN, dst_gap="skip", dst_fold="last"),
     lambda: cron("30 2 * * *", **BERLIN, dst_gap="skip", dst_fold="last")),
    (lambda: schedule_from({"crontab": {"hour": 2}}, **BERLIN, dst_gap="skip", dst_fold="last"),
     lambda: crontab(hour=2, **BERLIN, dst_gap="skip", dst_fold="last")),
    (lambda: schedule_from({"rrule": "FREQ=DAILY"}, **BERLIN, dst_gap="skip", dst_fold="last"),
     lambda: rrule("FREQ=DAILY", **BERLIN, dst_gap="skip", dst_fold="last")),
    (lambda: schedule_from({"at": "2027-01-01"}, **BERLIN), lambda: at("2027-01-01", **BERLIN)),
    (lambda: schedule_from({"solar": {"event": "sunset", "lat": 90, "lon": -180}}),
     lambda: solar("sunset", 90, -180)),
    (lambda: schedule_from({"solar": {"event": "sunset", "lat": -90, "lon": 180}}),
     lambda: solar("sunset", -90, 180)),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME, ids=range(len(SAME)))
def test_plain_data_and_a_call_make_the_same_schedule(
    one: Callable[[], object], other: Callable[[], object]
) -> None:
    assert one() == other()
