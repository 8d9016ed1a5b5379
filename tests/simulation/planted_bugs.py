"""Bugs planted on purpose: each breaks one rule, and the simulator has to see it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

import beatd.alerts.judge
import beatd.clock
import beatd.daemon.alert_news
import beatd.daemon.housekeeping
import beatd.daemon.store_clock
import beatd.dispatches.prepared
import beatd.edits.editing
import beatd.edits.pausing
import beatd.edits.replan
import beatd.engine.election
import beatd.engine.moves
import beatd.engine.tick
import beatd.publishers.canvas_parts
import beatd.stores.embedded.claims
import beatd.stores.embedded.delivery_writes
import beatd.stores.embedded.memory
from beatd.alerts.judge import Finding
from beatd.catalog import Change, Query
from beatd.catch_up import settle
from beatd.clock import StoreTime
from beatd.daemon.alert_news import AlertNews
from beatd.daemon.housekeeping import Housekeeping
from beatd.daemon.store_clock import StoreClock
from beatd.dispatch import Published
from beatd.dispatches.atomic_dispatch import AtomicDispatch
from beatd.dispatches.step_dispatch import ClaimedInStep, StepDispatch
from beatd.edits.pausing import RESUME_AHEAD
from beatd.engine.broker_outage import BrokerOutage
from beatd.engine.election import Election
from beatd.engine.lookahead import Lookahead
from beatd.engine.moves import Mover
from beatd.engine.open_claims import OpenClaims
from beatd.engine.outage import Outage
from beatd.engine.rewind import Rewind
from beatd.engine.tick import Tick
from beatd.errors import Deposed, StoreEmptied, StoreError
from beatd.ledger import Move, RunningChange
from beatd.may_still_run import why_not
from beatd.outcomes.lost_runs import LostRuns
from beatd.overlap import settle_in_turn
from beatd.publisher import Outcome
from beatd.publishers.canvas_parts import CanvasParts, in_one
from beatd.stores.embedded.catalog_writes import make_change
from beatd.stores.embedded.memory import MemoryStore
from beatd.unapplied import Unapplied
from tests.fake_lease import FakeLease
from tests.simulation.server_clock import ServerClock
from tests.simulation.true_store import TrueStore
from tests.simulation.truth import PUBLISH_TIMEOUT

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
    patch.setattr(LostRuns, "lost", lambda self, at: [])
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


# the store's clock


@plant
def half_of_a_replys_way_is_taken_for_its_way_back(patch: Patch) -> None:
    heard = StoreClock._set

    def from_the_middle(
        self: StoreClock, reply: StoreTime, requested_at: float, replied_at: float
    ) -> bool:
        half = timedelta(seconds=(replied_at - requested_at) / 2)
        return heard(self, replace(reply, moment=reply.moment + half), requested_at, replied_at)

    patch.setattr(StoreClock, "_set", from_the_middle)


@plant
def a_clock_that_was_set_back_is_not_noticed(patch: Patch) -> None:
    patch.setattr(
        beatd.daemon.store_clock, "latest", lambda reply, trip: datetime.max.replace(tzinfo=UTC)
    )


@plant
def a_quicker_reply_does_not_set_the_clock(patch: Patch) -> None:
    heard = StoreClock._set

    def first_only(self: StoreClock, reply: StoreTime, *trip: float) -> bool:
        if self._best is not None and reply.server == self._server:
            return False
        return heard(self, reply, *trip)

    patch.setattr(StoreClock, "_set", first_only)


@plant
def a_difference_of_clocks_is_reported_too_small(patch: Patch) -> None:
    heard = StoreClock._set

    def halved(self: StoreClock, *more: Any) -> bool:
        try:
            return heard(self, *more)
        finally:
            self.offset_s /= 2

    patch.setattr(StoreClock, "_set", halved)


@plant
def all_servers_are_thought_to_have_one_clock(patch: Patch) -> None:
    patch.setattr(ServerClock, "told", lambda self: StoreTime(self.now(), "the one"))


@plant
def clocks_are_thought_not_to_drift(patch: Patch) -> None:
    patch.setattr(beatd.clock, "MAX_DRIFT", 0.0)


# what is declared


@plant
def a_pause_never_ends(patch: Patch) -> None:
    patch.setattr(beatd.daemon.housekeeping, "end_pauses", lambda *more: [])


@plant
def an_entry_runs_from_when_it_is_resumed_and_not_from_the_end_of_its_pause(patch: Patch) -> None:
    patch.setattr(beatd.edits.pausing, "MICROSECOND", RESUME_AHEAD)


@plant
def a_moment_at_the_end_of_a_pause_does_not_run(patch: Patch) -> None:
    patch.setattr(beatd.edits.pausing, "MICROSECOND", timedelta())


@plant
def a_new_leader_does_not_wait_for_what_is_declared(patch: Patch) -> None:
    patch.setattr(Unapplied, "waits", lambda self, entry: False)


@plant
def what_a_batch_could_not_change_counts_as_changed(patch: Patch) -> None:
    change_each = beatd.edits.editing.change_each

    class Hopeful:
        def __init__(self, catalog: Any) -> None:
            self._catalog = catalog

        def __getattr__(self, name: str) -> Any:
            return getattr(self._catalog, name)

        def write(self, changes: Sequence[Change]) -> Sequence[bool]:
            done = self._catalog.write(changes)
            return [any(done)] * len(done)

    def careless(catalog: Any, *more: Any, **how: Any) -> None:
        change_each(Hopeful(catalog), *more, **how)

    patch.setattr(beatd.edits.editing, "change_each", careless)
    patch.setattr(beatd.edits.pausing, "change_each", careless)


# two versions


@plant
def an_older_daemon_plans_again_what_a_newer_one_planned(patch: Patch) -> None:
    patch.setattr(beatd.daemon.housekeeping, "needs_replan", lambda catalog: True)
    moved = beatd.edits.replan._moved

    def again(row: Any, now: datetime) -> Any:
        return moved(replace(row, plan=replace(row.plan, rules="")), now)

    patch.setattr(beatd.edits.replan, "_moved", again)
    replanned = beatd.edits.replan.replan

    def all_rows(catalog: Any, *more: Any) -> int:
        with patch.context() as rules:
            rules.setattr(beatd.edits.replan, "Query", lambda **query: Query(order="next"))
            return replanned(catalog, *more)

    patch.setattr(beatd.daemon.housekeeping, "replan", all_rows)


@plant
def an_older_leader_leaves_no_note_of_its_rules(patch: Patch) -> None:
    patch.setattr(beatd.daemon.housekeeping, "note_older_rules", lambda *more: False)


@plant
def a_newer_leader_plans_nothing_again(patch: Patch) -> None:
    patch.setattr(beatd.daemon.housekeeping, "needs_replan", lambda catalog: False)


@plant
def an_entry_that_cannot_be_read_is_removed(patch: Patch) -> None:
    housekeep = Housekeeping._repair

    def careless(self: Housekeeping, catalog: Any, repair: Any, term: int) -> None:
        housekeep(self, catalog, repair, term)
        readable = {row.entry.name for row in catalog.find(Query())}
        for name, defined in list(repair._store._tables.defined.items()):
            if name not in readable:
                catalog.write([Change(name, defined.revision, None)])

    patch.setattr(Housekeeping, "_repair", careless)


@plant
def a_program_too_old_for_the_store_keeps_the_lease(patch: Patch) -> None:
    patch.setattr(beatd.engine.election, "ProgramTooOld", StoreEmptied)
    patch.setattr(beatd.engine.tick, "ProgramTooOld", Deposed)


# incidents


@plant
def a_new_leader_does_not_look_for_open_incidents(patch: Patch) -> None:
    patch.setattr(MemoryStore, "open_incidents", lambda self: [])
    put = MemoryStore._put

    def careless(self: MemoryStore, one: Any) -> bool:
        self._tables.open_incidents.pop((one.kind, one.name), None)
        return put(self, one)

    patch.setattr(MemoryStore, "_put", careless)


@plant
def an_incident_opens_again_for_the_same_failure(patch: Patch) -> None:
    failed = beatd.alerts.judge._RULES["failed"]

    def forgetful(facts: Any, opened: Any, at: Any) -> Any:
        if opened is not None and at.now - opened.opened > timedelta(seconds=1):
            return Finding("failed", False, "it is enough")
        return failed(facts, opened, at)

    patch.setitem(beatd.alerts.judge._RULES, "failed", forgetful)


@plant
def what_was_sent_is_not_noted(patch: Patch) -> None:
    def forgetful(self: AlertNews, book: Any, now: datetime) -> None:
        self._under_way = [one for one in self._under_way if not one.posted.is_settled]

    patch.setattr(AlertNews, "_settle_sent", forgetful)
    patch.setattr(beatd.daemon.alert_news, "LEASE", timedelta(seconds=1))


@plant
def a_message_is_noted_and_not_sent(patch: Patch) -> None:
    def silent(self: AlertNews, book: Any, digest: Any, now: datetime) -> None:
        book.settle(digest.incidents, now)

    patch.setattr(AlertNews, "_post", silent)


@plant
def a_message_is_not_sent_and_not_noted(patch: Patch) -> None:
    patch.setattr(AlertNews, "_post", lambda *more: None)


@plant
def a_success_does_not_close_an_incident(patch: Patch) -> None:
    failed = beatd.alerts.judge._RULES["failed"]

    def stubborn(facts: Any, opened: Any, at: Any) -> Any:
        return None if opened is not None else failed(facts, opened, at)

    patch.setitem(beatd.alerts.judge._RULES, "failed", stubborn)


# the loop


@plant
def a_row_that_moved_on_is_added_twice(patch: Patch) -> None:
    move_on = Lookahead.move_on
    patch.setattr(Lookahead, "move_on", lambda *given: [move_on(*given) for _ in range(2)])


@plant
def edits_are_never_noticed(patch: Patch) -> None:
    patch.setattr(Tick, "noticed_change", lambda self: None)
    patch.setattr(MemoryStore, "version", lambda self: "the same as ever")


@plant
def one_full_queue_means_that_the_broker_is_away(patch: Patch) -> None:
    def doubt(self: Published) -> str:
        outcomes = [result.outcome for result in self.unrecorded]
        return next((one.reason for one in outcomes if one.sent == "unsent"), "")

    patch.setattr(Published, "doubt", property(doubt))
    patch.setattr(Outage, "back_off", lambda self: timedelta(seconds=3))
    answers = BrokerOutage.answers
    patch.setattr(BrokerOutage, "answers", lambda self: not 0 < self.lasts < 3 and answers(self))


@plant
def a_broker_that_is_away_is_claimed_for(patch: Patch) -> None:
    patch.setattr(BrokerOutage, "answers", lambda self: True)


@plant
def a_tick_never_says_when_to_look_again(patch: Patch) -> None:
    patch.setattr(Lookahead, "next_look", lambda self, now: now)
