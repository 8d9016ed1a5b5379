"""Whether a claim may be made: at its moment, under its term, and of what the entry is."""

from datetime import datetime
from typing import TYPE_CHECKING

from beatd.catalog import Stored
from beatd.leader import Term
from beatd.ledger import Move
from beatd.run import Run
from tests.simulation.truth_values import FILES, JUST_EDITED_S, PUBLISH_TIMEOUT, Sending, Stretch
from tests.simulation.world import Process, Violation

if TYPE_CHECKING:
    from tests.simulation.truth import Truth


def look_at_claim(
    truth: "Truth", move: Move, term: Term, at: datetime, before: Stored | None
) -> None:
    """A move was made: whether it may have been."""
    leads, process = truth.store.term(), truth.world.process
    assert process is not None
    if leads is None or leads[0] != term:
        raise Violation(f"S3 {process.name} claimed {move.name} with the old term {term}")
    if before is not None:  # what is left of a removed entry needs no reading
        truth.versions.touches(move.name)
    if move.of == "plan" and truth.versions.are_two:
        truth.versions.claims(move.name, truth.world.elapsed() - truth.began[term.number])
        _divide_stretch(truth, move, process)
    if truth.clock is not None:
        truth.clock.decides(process, move)
    if move.run is None:
        if move.of == "claim" and move.open_claim is not None:
            _look_at_age(truth, move, process)
            truth.open.pop(move.open_claim.occurrence, None)
            if any(skip.reason == "unknown" for skip in move.skips):
                truth.world.seen["skipped for being unknown"] += 1
        return
    run, name = move.run, move.name
    known = truth.known.get(name)
    if known is None or before is None:
        raise Violation(f"S4 {name} was removed, and claimed after that")
    key = truth.key(run, known.generation)
    if run.entry.args != known.entry.args or run.entry.schedule != known.entry.schedule:
        raise Violation(f"S4 {name} was edited, and claimed as it had been before")
    if run.entry.source == FILES:
        _look_at_files(truth, run, term)
    if not run.occurrence.request:
        if known.paused or not known.entry.enabled:
            raise Violation(f"S4 {name} is paused, and was claimed after that")
        if known.entry.end is not None and run.occurrence.planned > known.entry.end:
            raise Violation(f"S4 {name} has ended, and was claimed for later")
    if move.of == "plan":
        _look_for_early(truth, process, run, term)
    if run.due < run.occurrence.planned:
        raise Violation(f"S4 {key} is due before its moment")
    if move.of == "claim":
        _look_at_age(truth, move, process)
    elif truth.claimed.get(key) and key not in truth.losses.forgotten:
        raise Violation(f"S1 claimed twice: {key}")
    elif not run.occurrence.request:
        known.counted += 1
        # A backlog counts the runs that its leader has read, perhaps from a copy that lags.
        are_known = truth.store.is_fresh_since(truth.began[term.number])
        most = known.entry.max_runs
        if most is not None and known.counted > most and are_known:
            raise Violation(f"S4 {name} ran more often than its max_runs")
    if move.of == "plan" and not process.daemon.engine.broker_outage.over:
        raise Violation(f"{name} was claimed while the broker was known to be away")
    if move.of == "request" and not run.occurrence.request:
        truth.world.seen["a backlog was worked off"] += 1
    late = (at - run.due).total_seconds()
    # Who edits plans by another clock than the leader's, where no store has one.
    edited = truth.world.elapsed() - known.edited_at < JUST_EDITED_S
    # What an older leader could not read waits for the first newer one.
    waited = truth.versions.are_two and truth.world.elapsed() - truth.began[term.number] < 1.5
    if truth.calm and move.of == "plan" and late > 1.5 and not edited and not waited:
        raise Violation(f"L2 {key} was claimed {late:.1f} s late, and all is well")
    truth.losses.claims(process, move, key, truth.world.elapsed())
    if move.of == "claim" and key not in truth.claimed:
        # The claim is of an entry that was removed, and added again under its name. Where the
        # clock was set back, the new one may come to the same moment.
        truth.losses.excused[run.task_id] += 1
    truth.claimed[key] = truth.claimed.get(key, 0) + (move.of != "claim")
    truth.open[run.occurrence] = Sending(process, truth.world.elapsed())
    truth.holding[process].add(run.task_id)


def _divide_stretch(truth: "Truth", move: Move, process: Process) -> None:
    """What comes next is by the rules of the program that claims."""
    known = truth.known.get(move.name)
    before = None if known is None else known.stretch
    if before is None or before.is_old is process.is_old or move.seen is None:
        return
    before.until = move.seen
    known.stretch = Stretch(before.entry, move.seen, process.is_old)
    truth.stretches.append(known.stretch)


def _look_for_early(truth: "Truth", process: Process, run: Run, term: Term) -> None:
    if truth.clock is not None:
        truth.clock.claims(process, run, truth.began[term.number])
        return
    early = truth.world.now() + process.host.skew < run.due
    if early and not truth.world.seen["nature: step"]:
        raise Violation(f"S9 {run.occurrence} was claimed early by its host's clock")


def _look_at_files(truth: "Truth", run: Run, term: Term) -> None:
    name, (entry, edited_at) = run.occurrence.name, truth.declared[run.occurrence.name]
    if edited_at >= truth.began[term.number] or name in truth.late:
        return  # the leader has not seen it yet, or what another wrote late
    if not truth.store.is_fresh_since(truth.began[term.number]):
        return  # what the leader compared with the files may not be what the store has
    truth.world.seen["what is declared was claimed"] += 1
    if entry is None or not entry.enabled:
        raise Violation(f"S10 {name} was removed from the files before the term, and claimed")
    if (entry.args, entry.schedule) != (run.entry.args, run.entry.schedule):
        raise Violation(f"S10 {name} was edited in the files before the term, and ran as before")


def _look_at_age(truth: "Truth", move: Move, process: Process) -> None:
    claim = move.open_claim
    assert claim is not None
    sending = truth.open.get(claim.occurrence)
    if sending is None:
        return
    if sending.process is not process:
        truth.world.seen["a claim settled by another than made it"] += 1
    if claim.unsent or sending.process is process:
        return
    age, now = truth.world.elapsed() - sending.at, truth.world.elapsed()
    if age < PUBLISH_TIMEOUT:
        raise Violation(f"S2 {claim.occurrence} was taken over after {age:.1f} s only")
    if now - sending.publishes_since < PUBLISH_TIMEOUT and not truth.doubts[claim.task_id]:
        raise Violation(f"S2 {claim.occurrence} was taken over while it was published")
