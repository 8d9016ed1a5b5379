"""Which events a published batch makes."""

from datetime import UTC, datetime

import pytest

from beatd.catalog import Plan
from beatd.dispatch import Published
from beatd.engine.batch_events import events_of
from beatd.events import Refused, Sent, Skipped
from beatd.ledger import Move, Result
from beatd.publisher import Outcome
from beatd.run import Occurrence, Run, Skip
from tests.stores.making import entry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SKIP = Skip(NOON, NOON, 1, "missed")


def move(name: str, *skips: Skip) -> Move:
    plan = Plan(NOON, NOON, "", "")
    return Move(of="plan", name=name, revision=1, seen=NOON, plan=plan, skips=skips)


def result(name: str) -> Result:
    run = Run(Occurrence(name, NOON), "id", entry(name), 1, NOON, None, "planned")
    return Result(run, Outcome("confirmed"), NOON, NOON)


@pytest.mark.parametrize(
    ("moves", "made", "kinds"),
    [
        ([], [], []),
        ([move("a")], [True], []),
        ([move("a", SKIP)], [True], [Skipped]),
        ([move("a", SKIP)], [False], [Refused]),
        ([move("a"), move("b", SKIP)], [False, True], [Skipped, Refused]),
    ],
)
def test_a_batch_without_messages_tells_of_skips_and_refusals(
    moves: list[Move], made: list[bool], kinds: list[type]
) -> None:
    assert [type(event) for event in events_of(Published(moves, made))] == kinds


def test_a_batch_tells_which_runs_were_skipped_refused_and_sent() -> None:
    moves = [move("a", SKIP, SKIP), move("b", SKIP), move("c"), move("d")]
    batch = Published(moves, [True, False, True, True], [result("c"), result("d")], seconds=0.5)
    assert list(events_of(batch)) == [
        Skipped([("a", SKIP), ("a", SKIP)]),
        Refused(["b"]),
        Sent.of([result("c"), result("d")], 0.5),
    ]
