"""Planted bugs of terms, and of claim, publish and record."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from msgspec.structs import replace

import beatd.dispatches.prepared
import beatd.engine.election
import beatd.engine.moves
import beatd.engine.tick
import beatd.publishers.canvas_parts
import beatd.stores.embedded.claims
import beatd.stores.embedded.memory
from beatd.catalog import Change
from beatd.dispatches.step_dispatch import ClaimedInStep, StepDispatch
from beatd.engine.election import Election
from beatd.engine.rewind import Rewind
from beatd.engine.tick import Tick
from beatd.errors import StoreError
from beatd.ledger import Move
from beatd.publisher import Outcome
from beatd.publishers.canvas_parts import CanvasParts, in_one
from beatd.stores.embedded.catalog_writes import make_change
from tests.fake_lease import FakeLease
from tests.simulation.planted_in_loops import a_row_that_moved_on_is_added_twice
from tests.simulation.planting import Patch, plant

# terms and trust


@plant
def the_ledger_does_not_look_at_the_term(patch: Patch) -> None:
    patch.setattr(beatd.stores.embedded.memory, "refuse_old_term", lambda tables, term: None)


@plant
def trust_counts_from_the_reply(patch: Patch) -> None:
    win = Election._win
    patch.setattr(
        Election,
        "_win",
        lambda self, term, until, *more: win(self, term, self._clock.elapsed() + 2.0 - 0.25, *more),
    )


@plant
def a_lease_is_renewed_whoever_holds_it(patch: Patch) -> None:
    def take(self: FakeLease, holder: Any, ttl: float) -> Any:
        self.held = (holder, self.clock.elapsed() + ttl)
        return holder

    patch.setattr(FakeLease, "take", take)


# claim, publish, record


@plant
def the_plan_moves_before_the_claim(patch: Patch) -> None:
    claim = StepDispatch.claim

    def moves_first(self: StepDispatch, moves: Sequence[Move], term: Any) -> Any:
        self.drop_prepared()
        ahead = [replace(m, run=None, counts=0) if m.of == "plan" else m for m in moves]
        return replace(claim(self, ahead, term), moves=moves)

    patch.setattr(StepDispatch, "claim", moves_first)


@plant
def the_ledger_does_not_compare_the_moment(patch: Patch) -> None:
    make = beatd.stores.embedded.claims._make_of_plan

    def careless(tables: Any, move: Move, term: Any, at: datetime) -> bool:
        planned = tables.planned.get(move.name)
        seen = move.seen if planned is None else planned.plan.planned
        return make(tables, replace(move, seen=seen), term, at)

    patch.setattr(beatd.stores.embedded.claims, "_make_of_plan", careless)


@plant
def a_moment_is_taken_twice_and_the_ledger_does_not_compare_it(patch: Patch) -> None:
    the_ledger_does_not_compare_the_moment(patch)
    a_row_that_moved_on_is_added_twice(patch)


@plant
def the_ledger_does_not_compare_the_revision(patch: Patch) -> None:
    make = beatd.stores.embedded.claims._make_of_plan

    def careless(tables: Any, move: Move, term: Any, at: datetime) -> bool:
        defined = tables.defined.get(move.name)
        revision = move.revision if defined is None else defined.revision
        return make(tables, replace(move, revision=revision), term, at)

    patch.setattr(beatd.stores.embedded.claims, "_make_of_plan", careless)


@plant
def what_could_not_be_recorded_is_forgotten(patch: Patch) -> None:
    publish = Tick._publish

    def forgetful(self: Tick, *args: Any) -> Any:
        try:
            return publish(self, *args)
        finally:
            self._unrecorded = []

    patch.setattr(Tick, "_publish", forgetful)


@plant
def only_a_leader_settles_its_accounts(patch: Patch) -> None:
    record = Tick._record
    patch.setattr(Tick, "_record", lambda self: self._election.lead() is not None and record(self))


@plant
def every_claim_of_a_failed_id_counts_as_unsent(patch: Patch) -> None:
    patch.setattr(StepDispatch, "never_sent", lambda self, claim: claim.task_id in self._ids)
    patch.setattr(StepDispatch, "_ids", set(), raising=False)
    claim = StepDispatch.claim

    def remembers(self: StepDispatch, moves: Sequence[Move], *rest: Any) -> Any:
        try:
            return claim(self, moves, *rest)
        except StoreError:
            self._ids = self._ids | {m.run.task_id for m in moves if m.run}  # type: ignore
            raise

    patch.setattr(StepDispatch, "claim", remembers)


@plant
def an_id_is_drawn_at_random(patch: Patch) -> None:
    patch.setattr(beatd.engine.moves, "task_id", lambda namespace, occurrence: str(uuid4()))


@plant
def not_sent_is_taken_for_published(patch: Patch) -> None:
    publish = ClaimedInStep.publish

    def hopeful(self: ClaimedInStep, *args: Any) -> Any:
        published = publish(self, *args)
        results = [
            replace(one, outcome=Outcome("confirmed")) if one.outcome.sent == "unsent" else one
            for one in published.results
        ]
        return replace(published, results=results, unrecorded=results)

    patch.setattr(ClaimedInStep, "publish", hopeful)


@plant
def messages_go_though_their_claims_were_refused(patch: Patch) -> None:
    publish = ClaimedInStep.publish

    def careless(self: ClaimedInStep, *args: Any) -> Any:
        return replace(publish(replace(self, made=[True] * len(self.made)), *args), made=self.made)

    patch.setattr(ClaimedInStep, "publish", careless)


@plant
def what_was_prepared_goes_in_the_place_of_another_batch(patch: Patch) -> None:
    patch.setattr(beatd.dispatches.prepared, "is_same", lambda one, other: len(one) == len(other))


@plant
def a_plan_is_put_however_far_the_row_has_come(patch: Patch) -> None:
    def careless(tables: Any, change: Change, *more: Any) -> bool:
        there = tables.planned.get(change.name)
        came = change.progress if there is None else there.progress
        return make_change(tables, replace(change, progress=came), *more)

    patch.setattr(beatd.stores.embedded.memory, "make_change", careless)


@plant
def a_store_that_went_back_is_not_noticed(patch: Patch) -> None:
    patch.setattr(Rewind, "read", lambda self, found, kept: None)


@plant
def a_part_of_a_group_counts_as_the_whole(patch: Patch) -> None:
    def hopeful(outcomes: Sequence[Outcome]) -> Outcome:
        return next((one for one in outcomes if one.sent == "confirmed"), outcomes[0])

    patch.setattr(beatd.publishers.canvas_parts, "in_one", hopeful)


@plant
def a_group_that_was_sent_in_part_counts_as_not_sent(patch: Patch) -> None:
    def careless(outcomes: Sequence[Outcome]) -> Outcome:
        return next((one for one in outcomes if one.sent == "unsent"), in_one(outcomes))

    patch.setattr(beatd.publishers.canvas_parts, "in_one", careless)


@plant
def a_daemon_forgets_which_parts_of_a_group_it_sent(patch: Patch) -> None:
    patch.setattr(CanvasParts, "_before", lambda self, made: b"")
