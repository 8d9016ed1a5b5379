"""The contract of both ways of dispatch: claim, publish and record, prepared ahead or not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from beatd.catalog import Change
from beatd.errors import Deposed
from beatd.events import Refused, Sent, Skipped
from beatd.ledger import Move
from beatd.run import Skip
from tests.databases import postgresql_url, sqlite_url
from tests.dispatches.ways import Scene, atomic, in_steps
from tests.stores.making import at, entry, lead, open_claims, row

__all__ = ["postgresql_url"]

PUBLISHED = ["a published", "b published", "c published"]


@pytest.fixture(params=["postgresql", "sqlite", "one redis"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    if request.param == "one redis":
        with atomic(tmp_path) as made:
            yield made
        return
    is_sqlite = request.param == "sqlite"
    url = sqlite_url(tmp_path) if is_sqlite else request.getfixturevalue("postgresql_url")
    with in_steps(url) as made:
        yield made


def edit(scene: Scene, name: str) -> None:
    revision = row(scene.store, name).revision
    scene.another(lambda other: other.write([Change(name, revision, entry(name, args=[1]))]))


def refused(scene: Scene) -> list[Any]:
    return [event.names for event in scene.events if isinstance(event, Refused)]


@pytest.mark.parametrize("prepared", [False, True])
def test_each_move_is_claimed_published_and_recorded(scene: Scene, prepared: bool) -> None:
    if prepared:
        scene.prepare()
    assert not scene.arrived() and not open_claims(scene.store)
    assert scene.go() == [True] * 3
    assert (scene.arrived(), scene.states()) == (["a", "b", "c"], PUBLISHED)
    assert not open_claims(scene.store)
    (sent,) = scene.events
    assert isinstance(sent, Sent) and len(sent.results) == 3


def test_a_moment_is_claimed_once(scene: Scene) -> None:
    assert scene.go() == [True] * 3
    again = [replace(move) for move in scene.moves]
    if scene.dispatch.atomic:
        # A row that was claimed under this very id counts as published: a retry does nothing.
        scene.go(again)
    else:
        assert scene.go(again) == [False] * 3
    assert scene.arrived() == ["a", "b", "c"]


@pytest.mark.parametrize("prepared", [False, True])
def test_batches_follow_each_other(scene: Scene, prepared: bool) -> None:
    batches = scene.moves[:2], scene.moves[2:]
    if prepared:
        scene.prepare(*batches)
    assert scene.go(*batches) == [True] * 3
    assert (scene.arrived(), scene.states()) == (["a", "b", "c"], PUBLISHED)


def test_another_batch_than_the_prepared_one_goes_as_well(scene: Scene) -> None:
    scene.prepare()
    assert scene.go([replace(scene.moves[0]), *scene.moves[1:]]) == [True] * 3
    assert (scene.arrived(), scene.states()) == (["a", "b", "c"], PUBLISHED)


def test_what_was_prepared_some_time_ago_goes_as_well(scene: Scene) -> None:
    scene.prepare()
    scene.clock.advance(seconds=0.2)
    assert scene.go() == [True] * 3
    assert (scene.arrived(), scene.states()) == (["a", "b", "c"], PUBLISHED)


@pytest.mark.parametrize("prepared", [False, True])
def test_a_row_that_was_edited_before_is_left_out(scene: Scene, prepared: bool) -> None:
    edit(scene, "b")
    if prepared:
        scene.prepare()
    assert scene.go() == [True, False, True]
    assert (scene.arrived(), refused(scene)) == (["a", "c"], [["b"]])


def test_an_edit_can_be_made_as_soon_as_what_was_prepared_is_dropped(scene: Scene) -> None:
    scene.prepare()
    scene.dispatch.drop_prepared()
    edit(scene, "b")
    assert scene.go() == [True, False, True]
    assert scene.arrived() == ["a", "c"]


@pytest.mark.parametrize("prepared", [False, True])
def test_a_term_that_is_over_claims_nothing(scene: Scene, prepared: bool) -> None:
    if prepared and scene.dispatch.atomic:
        scene.prepare()
    scene.another(lambda other: lead(other, "two"))
    with pytest.raises(Deposed):
        scene.go()
    assert not scene.arrived() and not open_claims(scene.store)
    assert row(scene.store, "a").runs == 0


def test_a_move_without_a_run_goes_with_the_others(scene: Scene) -> None:
    moment = scene.moves[1].seen
    skip = Skip(moment, moment, 1, "missed; only the latest was run")
    skipped: Move = replace(scene.moves[1], run=None, counts=0, skips=(skip,))
    assert scene.go([scene.moves[0], skipped, scene.moves[2]]) == [True] * 3
    assert scene.arrived() == ["a", "c"]
    assert scene.states() == ["a published", "b skipped", "c published"]
    assert [event.skips for event in scene.events if isinstance(event, Skipped)] == [[("b", skip)]]


def test_a_batch_that_was_prepared_ends_at_its_own_moment(scene: Scene) -> None:
    scene.prepare()
    scene.go()
    (sent,) = scene.events
    assert isinstance(sent, Sent) and {result.at for result in sent.results} == {at(0)}
