"""A day of a hundred mixed entries, two daemons, and leaders that come and go at random."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from beatd.definition import entry_from
from beatd.entry import Entry
from beatd.planning import next_moment
from beatd.publisher import Outcome
from beatd.run import Run
from tests.fake_clock import FakeClock
from tests.fleet import Fleet

# The night when Berlin's clocks go back is the busiest of the year.
DAWN = datetime(2026, 10, 25, tzinfo=UTC)
DUSK = DAWN + timedelta(days=1)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai")
KINDS = (
    {"every": "1m"},
    {"every": "7m"},
    {"every": "1h", "spread": True},
    {"every": "90m", "phase": "13s"},
    {"cron": "*/15 * * * *"},
    {"cron": "30 2 * * *"},
    {"cron": "H H * * *"},
    {"cron": "0 9-17 * * mon-sun"},
    {"crontab": {"minute": 0, "hour": "*/3"}},
    {"cron": "5 * * * *", "jitter": "30s"},
    {"at": "2026-10-25T12:34:56.789012Z"},
    {"rrule": "FREQ=HOURLY;INTERVAL=2;BYMINUTE=17"},
)


SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 20))]


def mixed_entries(dice: random.Random) -> list[Entry]:
    entries = []
    for n in range(100):
        plain = {"task": "t", **KINDS[n % len(KINDS)], "tz": dice.choice(ZONES)}
        entries.append(entry_from(f"entry {n}", plain))
    return entries


def oracle(entries: list[Entry]) -> list[tuple[datetime, str]]:
    """Every moment of every entry of the day, found by asking for one after the other."""
    expected = []
    for entry in entries:
        moment = next_moment(entry, DAWN)
        while moment is not None and moment <= DUSK - timedelta(minutes=1):
            expected.append((moment, entry.name))
            moment = next_moment(entry, moment)
    return sorted(expected)


def arrived(fleet: Fleet) -> list[tuple[datetime, str]]:
    until = DUSK - timedelta(minutes=1)
    runs = ((run.occurrence.planned, run.entry.name) for run in fleet.broker.arrived)
    return sorted(run for run in runs if run[0] <= until)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_published_in_a_day_is_what_the_oracle_lists(seed: int) -> None:
    dice = random.Random(seed)
    fleet = Fleet(FakeClock(DAWN.isoformat()))
    entries = mixed_entries(dice)
    for entry in entries:
        fleet.put(entry)
    daemons = [fleet.daemon(), fleet.daemon()]
    while fleet.clock.now() < DUSK:
        # Some leaders resign, some vanish without a word; now and then both daemons are there.
        alive = dice.choice((daemons, daemons[:1], daemons[1:]))
        if dice.random() < 0.5:
            fleet.elections[dice.choice(daemons)].resign()
        fleet.live(alive, min(DUSK, fleet.clock.now() + timedelta(minutes=dice.randint(1, 40))))
    assert arrived(fleet) == oracle(entries)
    assert len({run.task_id for run in fleet.broker.arrived}) == len(fleet.broker.arrived)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_of_lost_replies_loses_nothing_and_doubles_only_under_the_same_id(seed: int) -> None:
    dice = random.Random(seed)
    fleet = Fleet(FakeClock(DAWN.isoformat()))
    entries = mixed_entries(dice)
    for entry in entries:
        fleet.put(entry)

    def fault(run: Run) -> Outcome | None:
        chance = dice.random()
        if chance < 0.01:
            fleet.broker.arrived.append(run)
            return Outcome("unknown", "it arrived, and the reply was lost")
        if chance < 0.02:
            return Outcome("unknown", "it was lost")
        return Outcome("unsent", "blocked") if chance < 0.03 else None

    fleet.broker.fault = fault
    daemons = [fleet.daemon(), fleet.daemon()]
    while fleet.clock.now() < DUSK:
        alive = dice.choice((daemons, daemons[:1], daemons[1:]))
        fleet.live(alive, min(DUSK, fleet.clock.now() + timedelta(minutes=dice.randint(1, 40))))
    assert sorted(set(arrived(fleet))) == oracle(entries)
    by_moment = {(r.entry.name, r.occurrence.planned): r.task_id for r in fleet.broker.arrived}
    assert len(by_moment) == len({run.task_id for run in fleet.broker.arrived})
