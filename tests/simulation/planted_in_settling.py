"""Planted bugs of what is unknown, late, or waits for another run, and of the step of one Redis."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

import beatd.engine.moves
import beatd.stores.embedded.claims
import beatd.stores.embedded.delivery_writes
from beatd.catch_up import settle
from beatd.dispatches.atomic_dispatch import AtomicDispatch
from beatd.engine.moves import Mover
from beatd.engine.open_claims import OpenClaims
from beatd.ledger import Move, RunningChange
from beatd.may_still_run import why_not
from beatd.outcomes.lost_runs import LostRuns
from beatd.overlap import settle_in_turn
from tests.simulation.planting import Patch, plant
from tests.simulation.true_store import TrueStore
from tests.simulation.truth_values import PUBLISH_TIMEOUT

# what is unknown, and what is late


@plant
def unknowns_are_never_settled(patch: Patch) -> None:
    patch.setattr(OpenClaims, "_open_claims", lambda self, *args: [])


@plant
def unknowns_are_settled_at_once(patch: Patch) -> None:
    later = timedelta(days=1)
    patch.setattr(OpenClaims, "_unknown_before", lambda self, now: now + later)


@plant
def claims_that_were_found_are_settled_by_their_own_age(patch: Patch) -> None:
    age = timedelta(seconds=PUBLISH_TIMEOUT)
    patch.setattr(OpenClaims, "_unknown_before", lambda self, now: now - age)


@plant
def a_resend_does_not_ask_on_unknown(patch: Patch) -> None:
    patch.setattr(
        beatd.engine.moves, "why_not", lambda claim, unsent, *more: why_not(claim, True, *more)
    )


@plant
def what_was_missed_is_not_told(patch: Patch) -> None:
    patch.setattr(beatd.engine.moves, "settle", lambda *args: replace(settle(*args), skips=()))


@plant
def a_backlog_is_counted_twice(patch: Patch) -> None:
    due = Mover.due

    def counted(self: Mover, *args: Any) -> Move:
        move = due(self, *args)
        return replace(move, counts=1) if move.backlog is not None else move

    patch.setattr(Mover, "due", counted)


@plant
def backlogs_of_one_entry_do_not_know_of_each_other(patch: Patch) -> None:
    asked = Mover.of_request

    runs: dict[str, int] = {}

    def alone(self: Mover, request: Any, row: Any, *more: Any) -> Any:
        if row is not None:
            row = replace(row, runs=runs.setdefault(row.entry.name, row.runs))
        return asked(self, request, row, *more)

    requested = OpenClaims._requested

    def forget(self: OpenClaims, *args: Any) -> list[Move]:
        runs.clear()
        return requested(self, *args)

    patch.setattr(Mover, "of_request", alone)
    patch.setattr(OpenClaims, "_requested", forget)


@plant
def a_backfill_ends_before_its_last_moment(patch: Patch) -> None:
    asked = Mover._of_first_moment

    def hasty(self: Mover, request: Any, *more: Any) -> Move | None:
        move = asked(self, request, *more)
        if move is not None and request.kind == "backfill" and move.first == request.last:
            return replace(move, first=None)
        return move

    patch.setattr(Mover, "_of_first_moment", hasty)


# overlap


@plant
def the_ledger_does_not_compare_the_running_run(patch: Patch) -> None:
    patch.setattr(beatd.stores.embedded.claims, "is_as_seen", lambda *given: True)


@plant
def a_run_does_not_count_as_running_when_it_is_sent_again(patch: Patch) -> None:
    patch.setattr(beatd.engine.moves, "turn_of_claim", lambda row, *more: RunningChange())


@plant
def the_end_of_a_run_frees_nobody(patch: Patch) -> None:
    patch.setattr(beatd.stores.embedded.delivery_writes, "end_run", lambda *given: False)


@plant
def a_worker_that_is_silent_is_never_given_up(patch: Patch) -> None:
    patch.setattr(LostRuns, "lost", lambda self, *given: [])
    patch.setattr(LostRuns, "_is_silent", lambda self, named: False)


@plant
def what_a_skipped_moment_would_have_run_is_not_told(patch: Patch) -> None:
    def silent(*given: Any) -> Any:
        settlement, turn = settle_in_turn(*given)
        return replace(settlement, skips=()), turn

    patch.setattr(beatd.engine.moves, "settle_in_turn", silent)


# ledger and broker as one


@plant
def a_step_pushes_what_is_not_as_it_was_seen(patch: Patch) -> None:
    step = TrueStore.step

    def careless(self: TrueStore, moves: Sequence[Move], push: Any, *more: Any) -> Any:
        outcomes = step(self, moves, push, *more)
        for move, outcome in zip(moves, outcomes, strict=True):
            if outcome is None and move.run is not None:
                push(move.run)
        return outcomes

    patch.setattr(TrueStore, "step", careless)


@plant
def a_step_that_is_tried_again_pushes_again(patch: Patch) -> None:
    step = TrueStore.step
    done: dict[int, Any] = {}

    def again(self: TrueStore, moves: Sequence[Move], push: Any, *more: Any) -> Any:
        if done.get(id(self)) is moves:
            for move in moves:
                push(move.run)
        done[id(self)] = moves
        return step(self, moves, push, *more)

    patch.setattr(TrueStore, "step", again)


@plant
def what_is_not_told_in_pushes_is_left_out(patch: Patch) -> None:
    pack = AtomicDispatch._pack
    patch.setattr(AtomicDispatch, "_pack", lambda *given: replace(pack(*given), left=[]))
