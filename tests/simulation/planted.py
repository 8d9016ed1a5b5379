"""Bugs planted on purpose: each breaks one rule, and the simulator has to see it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

import beatd.dispatch
import beatd.engine
import beatd.moves
import beatd.stores.memory
import beatd.stores.moves
from beatd.ahead import Ahead
from beatd.dispatch import InSteps
from beatd.election import Election
from beatd.engine import Engine
from beatd.errors import StoreError
from beatd.ledger import Move
from beatd.moves import Mover
from beatd.publisher import Outcome
from beatd.stores.memory import MemoryStore
from tests.office import Office

Patch = pytest.MonkeyPatch
PLANTED: dict[str, Callable[[Patch], None]] = {}


def plant(sow: Callable[[Patch], None]) -> Callable[[Patch], None]:
    PLANTED[sow.__name__.replace("_", " ")] = sow
    return sow


@contextmanager
def planted(name: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        PLANTED[name](patch)
        yield


# terms and trust


@plant
def the_ledger_does_not_look_at_the_term(patch: Patch) -> None:
    patch.setattr(beatd.stores.memory, "refuse_old_term", lambda tables, term: None)


@plant
def trust_counts_from_the_reply(patch: Patch) -> None:
    win = Election._win
    patch.setattr(
        Election,
        "_win",
        lambda self, term, until: win(self, term, self._clock.elapsed() + 2.0 - 0.25),
    )


@plant
def a_lease_is_renewed_whoever_holds_it(patch: Patch) -> None:
    def take(self: Office, holder: Any, ttl: float) -> Any:
        self.held = (holder, self.clock.elapsed() + ttl)
        return holder

    patch.setattr(Office, "take", take)


# claim, publish, record


@plant
def the_plan_moves_before_the_claim(patch: Patch) -> None:
    claim = InSteps._claim

    def moves_first(self: InSteps, moves: Sequence[Move], term: Any) -> Any:
        ahead = [replace(m, run=None, counts=0) if m.of == "plan" else m for m in moves]
        made, _, at = claim(self, ahead, term)
        runs = [m.run for m, ok in zip(moves, made, strict=True) if ok and m.run is not None]
        return made, runs, at

    patch.setattr(InSteps, "_claim", moves_first)


@plant
def a_moment_is_taken_twice_and_the_ledger_does_not_compare_it(patch: Patch) -> None:
    make = beatd.stores.moves._make_of_plan

    def careless(tables: Any, move: Move, term: Any, at: datetime) -> bool:
        planned = tables.planned.get(move.name)
        seen = move.seen if planned is None else planned.plan.planned
        return make(tables, replace(move, seen=seen), term, at)

    patch.setattr(beatd.stores.moves, "_make_of_plan", careless)
    a_row_that_moved_on_is_added_twice(patch)


@plant
def the_ledger_does_not_compare_the_revision(patch: Patch) -> None:
    make = beatd.stores.moves._make_of_plan

    def careless(tables: Any, move: Move, term: Any, at: datetime) -> bool:
        defined = tables.defined.get(move.name)
        revision = move.revision if defined is None else defined.revision
        return make(tables, replace(move, revision=revision), term, at)

    patch.setattr(beatd.stores.moves, "_make_of_plan", careless)


@plant
def what_could_not_be_recorded_is_forgotten(patch: Patch) -> None:
    publish = InSteps._publish

    def forgetful(self: InSteps, *args: Any) -> Any:
        try:
            return publish(self, *args)
        finally:
            self._unrecorded = []

    patch.setattr(InSteps, "_publish", forgetful)


@plant
def only_a_leader_settles_its_accounts(patch: Patch) -> None:
    settle = InSteps.settle_accounts
    turn = Engine._turn

    def turned(self: Engine, now: datetime) -> datetime:
        self._dispatch.leading = self._election.lead() is not None  # type: ignore[attr-defined]
        return turn(self, now)

    patch.setattr(Engine, "_turn", turned)
    patch.setattr(InSteps, "settle_accounts", lambda self: self.leading and settle(self))


@plant
def every_claim_of_a_failed_id_counts_as_unsent(patch: Patch) -> None:
    patch.setattr(
        beatd.dispatch.InSteps, "never_sent", lambda self, claim: claim.task_id in self._ids
    )
    patch.setattr(InSteps, "_ids", set(), raising=False)
    claim = InSteps._claim

    def remembers(self: InSteps, moves: Sequence[Move], term: Any) -> Any:
        try:
            return claim(self, moves, term)
        except StoreError:
            self._ids = self._ids | {m.run.task_id for m in moves if m.run}  # type: ignore
            raise

    patch.setattr(InSteps, "_claim", remembers)


@plant
def an_id_is_drawn_at_random(patch: Patch) -> None:
    patch.setattr(beatd.moves, "task_id", lambda namespace, occurrence: str(uuid4()))


@plant
def not_sent_is_taken_for_published(patch: Patch) -> None:
    publish = InSteps._publish

    def hopeful(self: InSteps, *args: Any) -> Any:
        publisher = self._publisher

        class Hopeful:
            def publish(self, *args: Any) -> Sequence[Outcome]:
                outcomes = publisher.publish(*args)
                return [Outcome("confirmed") if o.sent == "unsent" else o for o in outcomes]

        self._publisher = Hopeful()  # type: ignore[assignment]
        try:
            return publish(self, *args)
        finally:
            self._publisher = publisher

    patch.setattr(InSteps, "_publish", hopeful)


# what is unknown, and what is late


@plant
def unknowns_are_never_settled(patch: Patch) -> None:
    patch.setattr(Engine, "_open_claims", lambda self, now: [])


@plant
def unknowns_are_settled_at_once(patch: Patch) -> None:
    claims = Engine._open_claims
    later = beatd.engine.timedelta(days=1)
    patch.setattr(Engine, "_open_claims", lambda self, now: claims(self, now + later))


@plant
def a_resend_does_not_ask_on_unknown(patch: Patch) -> None:
    why_not = beatd.moves.why_not
    patch.setattr(beatd.moves, "why_not", lambda claim, unsent, *more: why_not(claim, True, *more))


@plant
def what_is_caught_up_is_not_told(patch: Patch) -> None:
    settle = beatd.moves.settle
    patch.setattr(beatd.moves, "settle", lambda *args: replace(settle(*args), skips=()))


@plant
def a_backlog_is_counted_twice(patch: Patch) -> None:
    due = Mover.due

    def counted(self: Mover, *args: Any) -> Move:
        move = due(self, *args)
        return replace(move, counts=1) if move.backlog is not None else move

    patch.setattr(Mover, "due", counted)


@plant
def backlogs_of_one_entry_do_not_know_of_each_other(patch: Patch) -> None:
    asked = Mover.asked

    runs: dict[str, int] = {}

    def alone(self: Mover, request: Any, row: Any, *more: Any) -> Any:
        if row is not None:
            row = replace(row, runs=runs.setdefault(row.entry.name, row.runs))
        return asked(self, request, row, *more)

    requested = Engine._requested

    def forget(self: Engine, now: datetime) -> list[Move]:
        runs.clear()
        return requested(self, now)

    patch.setattr(Mover, "asked", alone)
    patch.setattr(Engine, "_requested", forget)


# the loop


@plant
def a_row_that_moved_on_is_added_twice(patch: Patch) -> None:
    add = Ahead.add
    patch.setattr(Ahead, "add", lambda self, row: (add(self, row), add(self, row))[0])


@plant
def edits_are_never_noticed(patch: Patch) -> None:
    patch.setattr(Engine, "noticed_change", lambda self: None)
    patch.setattr(MemoryStore, "version", lambda self: "the same as ever")


@plant
def one_full_queue_means_that_the_broker_is_away(patch: Patch) -> None:
    patch.setattr(
        beatd.dispatch,
        "doubt_in",
        lambda outcomes: next((o.reason for o in outcomes if o.sent == "unsent"), ""),
    )
    patch.setattr(Engine, "_back_off", lambda self: beatd.engine.timedelta(seconds=3))
    answers = Engine._broker_answers

    def slow(self: Engine) -> bool:
        away = not self.broker_ok and self._clock.elapsed() - (self._broker_away_since or 0) < 3
        return False if away else answers(self)

    patch.setattr(Engine, "_broker_answers", slow)


@plant
def a_broker_that_is_away_is_claimed_for(patch: Patch) -> None:
    patch.setattr(Engine, "_broker_answers", lambda self: True)


@plant
def a_tick_never_says_when_to_look_again(patch: Patch) -> None:
    patch.setattr(Engine, "_next_look", lambda self, now, *, busy: now)
