"""What a leader leaves alone until its sources are applied."""

import pytest

import beatd.engine.lookahead
from beatd.definition import entry_from
from beatd.edits.run_requests import trigger
from beatd.engine.unapplied import NOTHING_WAITS, Unapplied
from beatd.publisher import Outcome
from tests.fleet import Fleet as Household

CONFIG = "yaml:config"
WAITS = Unapplied(owners=frozenset({CONFIG}))


@pytest.fixture
def house() -> Household:
    made = Household(publish_timeout=5.0)
    made.unapplied = WAITS
    return made


def declare(house: Household, name: str, file: str = "a.yaml", **plain: object) -> None:
    plain = {"task": "t", "every": "1m", **plain}
    house.put(entry_from(name, plain, source=CONFIG, declared_at=file))


@pytest.mark.parametrize(
    "unapplied",
    [
        WAITS,
        Unapplied(names=frozenset({(CONFIG, "mine")})),
        Unapplied(places=frozenset({(CONFIG, "a.yaml")})),
    ],
    ids=["owner", "name", "place"],
)
def test_what_waits_is_not_run_and_all_else_is(house: Household, unapplied: Unapplied) -> None:
    house.unapplied = unapplied
    declare(house, "mine")
    house.add("other", every="1m")
    house.minutes(house.daemon(), 2.5)
    assert len(house.broker.planned("other")) == 2
    assert house.broker.planned("mine") == []


def test_once_it_is_applied_its_catch_up_rule_applies(house: Household) -> None:
    declare(house, "mine")
    engine = house.daemon()
    house.minutes(engine, 2.5)
    house.unapplied = NOTHING_WAITS
    house.minutes(engine, 0.1)
    assert house.broker.planned("mine") == ["2026-03-01T00:02:00+00:00"]


def test_what_was_removed_meanwhile_is_not_run(house: Household) -> None:
    declare(house, "mine")
    engine = house.daemon()
    house.minutes(engine, 1.5)
    house.remove("mine")
    house.unapplied = NOTHING_WAITS
    house.minutes(engine, 2)
    assert house.broker.arrived == []


def test_an_open_claim_of_what_waits_is_not_sent_again(house: Household) -> None:
    house.unapplied = NOTHING_WAITS
    declare(house, "mine")
    engine = house.daemon()
    house.broker.fault = lambda run: Outcome("unknown", "no answer")
    house.minutes(engine, 1.1)
    house.unapplied = WAITS
    house.broker.fault = lambda run: None
    house.minutes(engine, 1)
    assert house.broker.arrived == []
    house.remove("mine")
    house.unapplied = NOTHING_WAITS
    house.minutes(engine, 1)
    assert house.broker.arrived == []
    assert [line.reason for line in house.history("mine")] == ["removed"]


def test_what_was_asked_of_it_by_hand_waits_too(house: Household) -> None:
    declare(house, "mine", every="1h")
    engine = house.daemon()
    house.minutes(engine, 0.1)
    trigger(house.store, "mine", house.clock.now())
    house.minutes(engine, 0.5)
    assert house.broker.arrived == []
    house.unapplied = NOTHING_WAITS
    house.minutes(engine, 0.1)
    assert len(house.broker.planned("mine")) == 1


@pytest.mark.parametrize("most", [40, 200])
def test_many_that_wait_do_not_keep_the_loop_turning(
    house: Household, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(beatd.engine.lookahead, "MOST_ROWS", 20)
    monkeypatch.setattr(beatd.engine.lookahead, "MOST_ROWS_WITH_WAITING", most)
    for n in range(100):
        declare(house, f"waits {n:03}")
    house.clock.advance(minutes=1)
    house.add("other", every="1s")
    engine = house.daemon()
    house.elections[engine].campaign()
    for _ in range(20):
        now, again = house.clock.now(), engine.tick()
        if again > now:
            break
    assert again > now
    if most > 100:
        house.minutes(engine, 0.05)
        assert len(house.broker.planned("other")) == 3
