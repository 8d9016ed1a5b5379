"""Claim and publish in two steps: what is held, and what is known when one of them fails."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from beatd.dispatches.step_dispatch import HOLD_EVERY_S, StepDispatch
from beatd.errors import Deposed, StoreError
from beatd.ledger import HeldClaim
from beatd.publisher import Outcome
from beatd.publishers.memory import MemoryPublisher
from tests.databases import postgresql_url, sqlite_url
from tests.dispatches.ways import Scene, in_steps
from tests.stores.making import NOON, lead, open_claims, row

__all__ = ["postgresql_url"]


@pytest.fixture
def scene(postgresql_url: str) -> Iterator[Scene]:
    with in_steps(postgresql_url) as made:
        yield made


def counted(scene: Scene) -> list[str]:
    """What becomes of each claim that is held from now on."""
    became, dispatch = list[str](), scene.dispatch
    assert isinstance(dispatch, StepDispatch) and dispatch._hold is not None
    hold = dispatch._hold

    class Counted:
        def __init__(self, held: HeldClaim) -> None:
            self._held = held
            became.append("held")

        def make(self) -> Sequence[bool]:
            became.append("made")
            return self._held.make()

        def drop(self) -> None:
            became.append("dropped")
            self._held.drop()

    def counting(*args: object) -> HeldClaim | None:
        held = hold(*args)  # type: ignore[arg-type]
        return None if held is None else Counted(held)

    dispatch._hold = counting
    return became


def test_the_claim_of_the_first_batch_is_held(scene: Scene) -> None:
    became = counted(scene)
    scene.prepare(scene.moves[:2], scene.moves[2:])
    assert scene.go(scene.moves[:2], scene.moves[2:]) == [True] * 3
    assert became == ["held", "made"]


@pytest.mark.parametrize("late", [False, True])
def test_a_held_claim_is_dropped_for_another_batch_or_when_time_has_passed(
    scene: Scene, late: bool
) -> None:
    became = counted(scene)
    scene.prepare()
    if late:
        scene.clock.advance(seconds=0.2)
    assert scene.go(scene.moves if late else scene.moves[:2])[:2] == [True] * 2
    assert became == ["held", "dropped"]


def test_a_claim_is_not_held_again_and_again(scene: Scene) -> None:
    became = counted(scene)
    scene.prepare()
    scene.prepare()
    assert became == ["held", "dropped"]
    scene.clock.advance(seconds=HOLD_EVERY_S)
    scene.prepare()
    assert became == ["held", "dropped", "held"]


def test_nothing_is_held_under_a_term_that_is_over(scene: Scene) -> None:
    scene.another(lambda other: lead(other, "two"))
    with pytest.raises(Deposed):
        scene.prepare()
    with pytest.raises(Deposed):
        scene.go()
    assert not scene.arrived()


def test_a_held_claim_counts_its_age_from_the_moment(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: Callable[..., object] = lambda self, runs, may_go_on: [Outcome("unknown", "cut")] * 3  # noqa: E731
    monkeypatch.setattr(MemoryPublisher, "publish", cut)
    scene.prepare()
    scene.clock.advance(seconds=0.01)
    assert scene.go() == [True] * 3
    assert [claim.claimed_at for claim in open_claims(scene.store)] == [NOON] * 3


@pytest.mark.parametrize("prepared", [False, True])
def test_a_lost_lead_sends_nothing_and_says_nothing_about_the_broker(
    scene: Scene, prepared: bool
) -> None:
    if prepared:
        scene.prepare()
    published = scene.dispatch.claim(scene.moves, scene.term).publish(lambda: False)
    assert (published.held, published.doubt, scene.arrived()) == (True, "", [])


def test_a_commit_that_failed_may_have_been_made_and_was_not_sent(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    from beatd.stores.sql.held_claim import HeldInTransaction

    make = HeldInTransaction.make

    def cut(held: HeldInTransaction) -> object:
        make(held)
        raise StoreError("the connection was lost")

    scene.prepare()
    monkeypatch.setattr(HeldInTransaction, "make", cut)
    with pytest.raises(StoreError):
        scene.go()
    claims = open_claims(scene.store)
    assert len(claims) == 3 and all(map(scene.dispatch.never_sent, claims))
    assert not scene.arrived() and row(scene.store, "a").runs == 1


def test_where_no_claim_can_be_held_others_write_meanwhile(tmp_path: Path) -> None:
    with in_steps(sqlite_url(tmp_path)) as scene:
        became = counted(scene)
        scene.prepare()
        scene.another(lambda other: lead(other, "two"))
        assert not became
