"""How a store that lost its newest data is noticed."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Never

import pytest
from msgspec.structs import replace

from beatd.by_moment import ByMoment
from beatd.catalog import Plan, Stored
from beatd.dispatch import Published
from beatd.engine.rewind import CLAIMED_KEPT, Rewind
from beatd.engine.terms_seen import TermsSeen
from beatd.errors import StoreError
from beatd.events import Event, WentBack
from beatd.leader import Term
from beatd.ledger import Move
from tests.fleet import Fleet
from tests.stores.making import entry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def row(name: str, planned_s: float, due_s: float | None = None, revision: int = 1) -> Stored:
    due = at(planned_s if due_s is None else due_s)
    return Stored(entry(name), revision, False, Plan(at(planned_s), due, "", ""), 0, None)


@pytest.fixture
def told() -> list[Event]:
    return []


def batch(*claimed: Stored) -> Published:
    """A batch after which the entries are as they are in `claimed`."""
    moves = [
        Move(of="plan", name=row.entry.name, revision=row.revision, seen=NOON, plan=row.plan)
        for row in claimed
    ]
    return Published(moves, [True] * len(moves))


def reported(
    told: list[Event], found: Sequence[Stored], kept: Sequence[Stored], claimed: Stored | None
) -> list[str]:
    """Return the entries that are named when `found` is read after this."""
    rewind = Rewind(told.append)
    if claimed is not None:
        rewind.sent(batch(claimed))
    for _ in range(2):  # a loss is reported once
        rewind.read(found, ByMoment(kept))
        kept = found
    return [event.reason.split("'")[1] for event in told if isinstance(event, WentBack)]


A, B = row("a", 10), row("b", 20)


@pytest.mark.parametrize(
    ("found", "kept", "claimed", "names"),
    [
        ([], [], None, []),
        ([A], [], None, []),
        ([A, B], [A, B], None, []),
        ([row("a", 5), B], [A, B], None, ["a"]),
        ([row("a", 5), row("b", 6)], [A, B], None, ["a"]),  # one event for all
        ([row("a", 5), B], [B], None, []),  # nothing was known of it
        ([row("a", 5), B], [B], A, ["a"]),
        ([row("a", 5)], [], A, ["a"]),
        ([row("a", 5, revision=2)], [A], A, []),  # somebody edited it
        ([row("a", 10, due_s=5)], [row("a", 10, due_s=15)], None, []),  # it waited for a run
        ([row("c", 5), row("a", 6), B], [B], A, ["a"]),
        ([row("c", 5), row("b", 6)], [A, B], None, ["b"]),
        ([row("c", 5), row("b", 10)], [A, B], None, []),  # not before what was known
        ([row("c", 5), row("b", 15)], [B], row("d", 12), ["b"]),
        ([row("c", 5), row("b", 12)], [row("e", 11), B], row("d", 13), ["b"]),
        ([row("b", 12)], [row("e", 11), B], row("d", 13), []),
    ],
)
def test_a_plan_that_went_back_is_a_loss(
    told: list[Event],
    found: list[Stored],
    kept: list[Stored],
    claimed: Stored | None,
    names: list[str],
) -> None:
    assert reported(told, found, kept, claimed) == names


def test_the_event_names_the_moment_that_was_forgotten(told: list[Event]) -> None:
    reported(told, [row("a", 5)], [], A)
    assert told == [
        WentBack(
            "its plan is back at 2026-03-01 12:00:05+00:00: it forgot that 'a' was claimed for "
            "2026-03-01 12:00:05+00:00; runs it forgot may be repeated, under their own ids"
        )
    ]


def test_an_entry_in_memory_that_was_edited_does_not_hide_that_the_store_lost_both(
    told: list[Event],
) -> None:
    """The store lost the edit and the claim before it."""
    found, kept = [row("a", 5, revision=1)], [row("a", 15, revision=2)]
    assert reported(told, found, kept, row("a", 10, revision=1)) == ["a"]


def test_each_entry_of_a_batch_is_remembered_and_so_are_those_of_the_batch_before(
    told: list[Event],
) -> None:
    for lost in "abc":
        rewind = Rewind(told.append)
        rewind.sent(batch(A, B))
        rewind.sent(batch(row("c", 30), row("d", 40)))
        rewind.read([row(lost, 5)], ByMoment())
    assert [event.reason.split("'")[1] for event in told if isinstance(event, WentBack)] == [*"abc"]


def test_a_change_that_was_refused_or_leads_nowhere_is_no_claim(told: list[Event]) -> None:
    rewind = Rewind(told.append)
    rewind.sent(Published(batch(A).moves, [False]))
    rewind.sent(batch(replace(B, plan=Plan(None, None, "", ""))))
    rewind.sent(batch(replace(B, plan=Plan(at(20), None, "", ""))))  # as of a paused entry
    rewind.read([row("a", 5), row("b", 5)], ByMoment())
    assert told == []


def test_of_many_claims_the_newest_are_remembered(told: list[Event]) -> None:
    rewind = Rewind(told.append)
    rewind.sent(batch(A, *(row(str(n), 20) for n in range(CLAIMED_KEPT))))
    rewind.read([row("a", 5)], ByMoment())
    assert told == []
    rewind.read([row("0", 5)], ByMoment())
    assert len(told) == 1
    rewind.sent(batch(A, *(row(str(n), 20) for n in range(CLAIMED_KEPT - 1))))
    rewind.sent(batch(row("z", 20)))
    rewind.read([row("a", 5)], ByMoment())
    assert len(told) == 1


def test_an_entry_that_is_claimed_again_is_among_the_newest(told: list[Event]) -> None:
    rewind = Rewind(told.append)
    rewind.sent(batch(row("a", 5)))
    rewind.sent(batch(*(row(str(n), 20) for n in range(CLAIMED_KEPT - 1))))
    rewind.sent(batch(A))
    rewind.sent(batch(row("z", 20)))
    rewind.read([row("a", 5)], ByMoment())
    assert len(told) == 1


def losses(fleet: Fleet) -> list[str]:
    return [event.reason for event in fleet.told if isinstance(event, WentBack)]


@pytest.fixture
def fleet() -> Fleet:
    """Two entries that are due each minute, one of them at its middle."""
    made = Fleet()
    made.add("tidy", every="1m")
    made.add("mail", every="1m", start="2026-02-28T23:59:30Z")
    return made


def test_a_loss_is_noticed_after_an_outage_though_another_entry_ran_before_it(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = fleet.daemon()
    fleet.minutes(engine, 1.75)
    replica = deepcopy(fleet.store._tables)
    fleet.minutes(engine, 0.5)
    fleet.store._tables = replica  # it lost the run of "tidy" at 00:02
    fleet.minutes(engine, 0.3)  # "mail" is due, as the daemon has it in memory
    assert fleet.broker.planned()[-1] == "2026-03-01T00:02:30+00:00"
    with monkeypatch.context() as outage:
        outage.setattr(fleet.store, "version", unreachable)
        outage.setattr(fleet.store, "upcoming", unreachable)
        fleet.clock.advance(seconds=2)
        engine.tick()
    fleet.minutes(engine, 0.1)
    (told,) = losses(fleet)
    assert "'tidy' was claimed for 2026-03-01 00:02:00" in told


def test_a_loss_is_noticed_of_runs_whose_record_failed(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = fleet.daemon()
    fleet.minutes(engine, 1.75)
    replica = deepcopy(fleet.store._tables)
    with monkeypatch.context() as outage:
        outage.setattr(fleet.store, "record", unreachable)
        fleet.minutes(engine, 0.3)
    assert fleet.broker.planned()[-1] == "2026-03-01T00:02:00+00:00"
    fleet.store._tables = replica
    fleet.minutes(engine, 0.1)
    (told,) = losses(fleet)
    assert "'tidy' was claimed for 2026-03-01 00:02:00" in told


def unreachable(*args: object) -> Never:
    raise StoreError("connection refused")


def test_a_term_that_does_not_grow_is_a_loss(told: list[Event]) -> None:
    seen = TermsSeen(told.append)
    for term in (Term(3, "a"), Term(3, "a"), Term(4, "b")):
        seen.saw(term)
    assert told == []
    seen.saw(Term(4, "c"))
    seen.saw(Term(2, "d"))
    seen.saw(Term(3, "e"))
    reasons = [event.reason.partition(";")[0] for event in told if isinstance(event, WentBack)]
    assert reasons == ["it issued term 4 after 4", "it issued term 2 after 4"]
    seen.forget()
    seen.saw(Term(1, "f"))
    assert len(told) == 2
