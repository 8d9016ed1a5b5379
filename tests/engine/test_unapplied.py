"""What a leader leaves alone until its sources are applied."""

import pytest

import beatd.engine.lookahead
from beatd.definition import entry_from
from beatd.edits.run_requests import trigger
from beatd.engine.unapplied import NOTHING_WAITS, Unapplied
from beatd.publisher import Outcome
from tests.fleet import Fleet

CONFIG = "yaml:config"
WAITS = Unapplied(owners=frozenset({CONFIG}))


@pytest.fixture
def fleet() -> Fleet:
    made = Fleet(publish_timeout=5.0)
    made.unapplied = WAITS
    return made


def declare(fleet: Fleet, name: str, file: str = "a.yaml", **plain: object) -> None:
    plain = {"task": "t", "every": "1m", **plain}
    fleet.put(entry_from(name, plain, source=CONFIG, declared_at=file))


@pytest.mark.parametrize(
    "unapplied",
    [
        WAITS,
        Unapplied(names=frozenset({(CONFIG, "mine")})),
        Unapplied(places=frozenset({(CONFIG, "a.yaml")})),
    ],
    ids=["owner", "name", "place"],
)
def test_what_waits_is_not_run_and_all_else_is(fleet: Fleet, unapplied: Unapplied) -> None:
    fleet.unapplied = unapplied
    declare(fleet, "mine")
    fleet.add("other", every="1m")
    fleet.minutes(fleet.daemon(), 2.5)
    assert len(fleet.broker.planned("other")) == 2
    assert fleet.broker.planned("mine") == []


def test_once_it_is_applied_its_catch_up_rule_applies(fleet: Fleet) -> None:
    declare(fleet, "mine")
    engine = fleet.daemon()
    fleet.minutes(engine, 2.5)
    fleet.unapplied = NOTHING_WAITS
    fleet.minutes(engine, 0.1)
    assert fleet.broker.planned("mine") == ["2026-03-01T00:02:00+00:00"]


def test_what_was_removed_meanwhile_is_not_run(fleet: Fleet) -> None:
    declare(fleet, "mine")
    engine = fleet.daemon()
    fleet.minutes(engine, 1.5)
    fleet.remove("mine")
    fleet.unapplied = NOTHING_WAITS
    fleet.minutes(engine, 2)
    assert fleet.broker.arrived == []


def test_an_open_claim_of_what_waits_is_not_sent_again(fleet: Fleet) -> None:
    fleet.unapplied = NOTHING_WAITS
    declare(fleet, "mine")
    engine = fleet.daemon()
    fleet.broker.fault = lambda run: Outcome("unknown", "no answer")
    fleet.minutes(engine, 1.1)
    fleet.unapplied = WAITS
    fleet.broker.fault = lambda run: None
    fleet.minutes(engine, 1)
    assert fleet.broker.arrived == []
    fleet.remove("mine")
    fleet.unapplied = NOTHING_WAITS
    fleet.minutes(engine, 1)
    assert fleet.broker.arrived == []
    assert [line.reason for line in fleet.history("mine")] == ["removed"]


def test_what_was_asked_of_it_by_hand_waits_too(fleet: Fleet) -> None:
    declare(fleet, "mine", every="1h")
    engine = fleet.daemon()
    fleet.minutes(engine, 0.1)
    trigger(fleet.store, "mine", fleet.clock.now())
    fleet.minutes(engine, 0.5)
    assert fleet.broker.arrived == []
    fleet.unapplied = NOTHING_WAITS
    fleet.minutes(engine, 0.1)
    assert len(fleet.broker.planned("mine")) == 1


@pytest.mark.parametrize("most", [40, 200])
def test_many_that_wait_do_not_keep_the_loop_turning(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(beatd.engine.lookahead, "MOST_ROWS", 20)
    monkeypatch.setattr(beatd.engine.lookahead, "MOST_ROWS_WITH_WAITING", most)
    for n in range(100):
        declare(fleet, f"waits {n:03}")
    fleet.clock.advance(minutes=1)
    fleet.add("other", every="1s")
    engine = fleet.daemon()
    fleet.elections[engine].campaign()
    for _ in range(20):
        now, again = fleet.clock.now(), engine.tick()
        if again > now:
            break
    assert again > now
    if most > 100:
        fleet.minutes(engine, 0.05)
        assert len(fleet.broker.planned("other")) == 3
