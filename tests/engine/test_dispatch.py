"""Claim, publish, record, where the first batch was made ready ahead of its moment."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from beatd.catalog import Change
from beatd.definition import codec
from beatd.engine.dispatch import HOLD_AGAIN, InSteps
from beatd.errors import Deposed, StoreError
from beatd.events import Event, Refused, Sent
from beatd.ledger import Move
from beatd.publisher import HeldMessages, Outcome
from beatd.publishers.memory import MemoryPublisher
from beatd.run import Run
from beatd.stores.sql import SqlStore
from tests.databases import postgresql_url, sqlite_url
from tests.fake_clock import FakeClock
from tests.stores.making import NOON, at, entry, lead, open_claims, past, put_many, row, step

__all__ = ["postgresql_url"]


class Post(MemoryPublisher):
    """Says in which way each run went out."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def hold(self, runs: Sequence[Run]) -> HeldMessages:  # type: ignore[override]
        self.told.append("held")
        return Letters(self, runs)

    def publish(self, runs: Sequence[Run], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        self.told.append("published")
        return super().publish(runs, may_go_on)


class Letters(Struct):
    post: Post
    runs: Sequence[Run]

    def send(self, may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        self.post.told.append("sent")
        return MemoryPublisher.publish(self.post, self.runs, may_go_on)

    def drop(self) -> None:
        self.post.told.append("dropped")


class Scene:
    """A dispatch on PostgreSQL, three moves at noon and its term."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.store, self.post = SqlStore(self.url, codec=codec), Post()
        self.clock = FakeClock(at(-0.02).isoformat())
        self.events: list[Event] = []
        self.dispatch = InSteps(
            ledger=self.store, publisher=self.post, clock=self.clock, tell=self.events.append
        )
        self.term = lead(self.store)
        self.moves = [step(self.store, stored) for stored in put_many(self.store, "abc")]

    def get_ready(self) -> None:
        self.dispatch.get_ready([self.moves], self.term, NOON)

    def go(self, moves: Sequence[Move] | None = None, *, leads: bool = True) -> list[bool]:
        self.clock.advance(seconds=0.02)
        batches = [self.moves if moves is None else moves]
        return list(self.dispatch(batches, self.term, lambda: leads).made)

    def arrived(self) -> list[str]:
        return [run.entry.name for run in self.post.sent]

    def another(self, do: Callable[[SqlStore], object]) -> None:
        """Something another process does to the store."""
        other = SqlStore(self.url, codec=codec)
        do(other)
        other.close()

    def states(self) -> list[str]:
        return sorted(f"{record.name} {record.state}" for record in past(self.store))


@pytest.fixture
def scene(postgresql_url: str) -> Iterator[Scene]:
    made = Scene(postgresql_url)
    yield made
    made.dispatch.drop_ready()
    made.store.close()


def test_what_was_made_ready_goes(scene: Scene) -> None:
    scene.get_ready()
    assert not scene.arrived() and not open_claims(scene.store)
    assert scene.go() == [True] * 3
    assert (scene.arrived(), scene.post.told) == (["a", "b", "c"], ["held", "sent"])
    assert scene.states() == ["a published", "b published", "c published"]
    assert not open_claims(scene.store)
    (sent,) = (event for event in scene.events if isinstance(event, Sent))
    assert len(sent.results) == 3


@pytest.mark.parametrize("ready", [True, False])
def test_a_lost_lead_says_nothing_about_the_broker(scene: Scene, ready: bool) -> None:
    if ready:
        scene.get_ready()
    scene.clock.advance(seconds=0.02)
    leads = iter([True, False])  # for the claim, and not for its messages
    done = scene.dispatch([scene.moves], scene.term, lambda: next(leads))
    assert (done.held, done.doubt, scene.arrived()) == (True, "", [])


def test_its_claim_counts_its_age_from_the_moment(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.get_ready()
    monkeypatch.setattr(Letters, "send", lambda self, may_go_on: [Outcome("unknown", "cut")] * 3)
    assert scene.go() == [True] * 3
    assert [claim.claimed_at for claim in open_claims(scene.store)] == [NOON] * 3


def test_another_batch_goes_the_usual_way(scene: Scene) -> None:
    scene.get_ready()
    assert scene.go([replace(scene.moves[0]), *scene.moves[1:]]) == [True] * 3
    assert scene.post.told == ["held", "dropped", "published"]
    assert scene.arrived() == ["a", "b", "c"]


def test_what_is_no_longer_fresh_goes_the_usual_way(scene: Scene) -> None:
    scene.get_ready()
    scene.clock.advance(seconds=0.2)
    assert scene.go() == [True] * 3
    assert scene.post.told == ["held", "dropped", "published"]


def test_a_row_that_was_edited_before_is_left_out(scene: Scene) -> None:
    revision = row(scene.store, "b").revision
    scene.another(lambda other: other.write([Change("b", revision, entry("b", args=[1]))]))
    scene.get_ready()
    assert scene.go() == [True, False, True]
    assert (scene.arrived(), scene.post.told) == (["a", "c"], ["held", "dropped", "published"])
    assert [event.names for event in scene.events if isinstance(event, Refused)] == [["b"]]


def test_an_edit_can_be_made_as_soon_as_it_is_dropped(scene: Scene) -> None:
    scene.get_ready()
    scene.dispatch.drop_ready()
    revision = row(scene.store, "b").revision
    scene.another(lambda other: other.write([Change("b", revision, entry("b", args=[1]))]))
    assert scene.go() == [True, False, True]
    assert scene.post.told == ["held", "dropped", "published"]


def test_a_lead_that_was_lost_meanwhile_sends_nothing(scene: Scene) -> None:
    scene.get_ready()
    assert scene.go(leads=False) == [False] * 3
    assert not scene.arrived() and not open_claims(scene.store)
    assert row(scene.store, "a").runs == 0


def test_a_term_that_is_over_gets_nothing_ready(scene: Scene) -> None:
    scene.another(lambda other: lead(other, "two"))
    with pytest.raises(Deposed):
        scene.get_ready()
    assert scene.post.told == ["held", "dropped"]
    with pytest.raises(Deposed):
        scene.go()
    assert not scene.arrived()


def test_a_commit_that_failed_may_have_been_made_and_was_not_sent(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    from beatd.stores.sql.database import Held

    commit = Held.commit

    def cut(held: Held[object]) -> object:
        commit(held)
        raise StoreError("the connection was lost")

    scene.get_ready()
    monkeypatch.setattr(Held, "commit", cut)
    with pytest.raises(StoreError):
        scene.go()
    claims = open_claims(scene.store)
    assert len(claims) == 3 and all(map(scene.dispatch.never_sent, claims))
    assert scene.post.told == ["held", "dropped"]


def test_what_could_not_be_recorded_is_recorded_first(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(results: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr(scene.store, "record", away)
    with pytest.raises(StoreError):
        scene.go(scene.moves[:1])
    monkeypatch.undo()
    scene.get_ready()
    scene.dispatch.settle_accounts()  # a thread that holds a transaction must not write in another
    assert scene.states() == ["a published"]


def test_who_writes_to_the_store_is_not_kept_waiting_again_at_once(scene: Scene) -> None:
    scene.get_ready()
    scene.get_ready()
    assert scene.post.told == ["held", "dropped"]
    scene.clock.advance(seconds=HOLD_AGAIN)
    scene.get_ready()
    assert scene.post.told == ["held", "dropped", "held"]


def test_only_the_first_batch_was_ready(scene: Scene) -> None:
    scene.dispatch.get_ready([scene.moves[:2], scene.moves[2:]], scene.term, NOON)
    scene.clock.advance(seconds=0.02)
    done = scene.dispatch([scene.moves[:2], scene.moves[2:]], scene.term, lambda: True)
    assert list(done.made) == [True] * 3
    assert (scene.arrived(), scene.post.told) == (["a", "b", "c"], ["held", "sent", "published"])
    assert len(scene.states()) == 3


def test_messages_alone_are_made_ready_where_no_claim_can_be(tmp_path: Path) -> None:
    scene = Scene(sqlite_url(tmp_path))
    scene.get_ready()
    scene.another(lambda other: other.write([Change("d", 0, entry("d"))]))  # nobody waits
    assert scene.go() == [True] * 3
    assert (scene.arrived(), scene.post.told) == (["a", "b", "c"], ["held", "sent"])
    assert scene.states() == ["a published", "b published", "c published"]
    scene.store.close()
