"""How a store that lost its newest data is noticed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from beatd.by_moment import ByMoment
from beatd.catalog import Plan, Stored
from beatd.engine.rewind import Rewind
from beatd.engine.terms_seen import TermsSeen
from beatd.events import Event, WentBack
from beatd.leader import Term
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


def reported(
    told: list[Event], found: Sequence[Stored], kept: Sequence[Stored], claimed: Stored | None
) -> list[str]:
    """Return the entries that are named when `found` is read after this."""
    rewind = Rewind(told.append)
    if claimed is not None:
        rewind.claimed(claimed)
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
