"""Branches that no life of the simulation reaches, each with its reason."""

from collections.abc import Iterable

OUTSIDE = "the world turns the loops in greenlets; threads are tested in tests/daemon"
STATUS = "of health and the pages, which no life asks"
UNEXPECTED = "an exception that is no BeatError ends a life at once"
DECLARED = "each daemon of a life has files that declare entries"
NOT_EMPTIED = "the store of a life never loses all; tests/chaos and tests/engine empty one"
SMALL = "a life has at most 13 entries"
SHORT = "a life lasts less than three minutes"
SAME_REDIS = "the Redis of a life stays store and broker"
AT_ONCE = "the store of a life holds each row it is asked for, and removes requests with entries"
NO_SUCH_ENTRY = "no entry or request of a life has it; tests/engine have"

#: The beginning of each branch's name, by its reason.
UNREACHED: dict[str, tuple[str, ...]] = {
    OUTSIDE: (
        "daemon.loop Loop.start:",
        "daemon.loop Loop.join:",
        "daemon.loop Loop.trouble:",
        "engine.election Election.campaign: ? self._over",
    ),
    STATUS: (
        "daemon.housekeeping Housekeeping.conflicts:",
        "daemon.housekeeping Housekeeping.needs_reload:",
        "engine.election Election.margin:",
    ),
    UNEXPECTED: (
        "daemon.campaign Campaign.turn: except Exception",
        "daemon.loop Loop._turn_safely: except",
        "daemon.loop Loop._turn_safely: if not self._stopped",
        "daemon.loop Loop._turn_safely: not not self._stopped",
        "daemon.loop kind_of:",
        "engine.settled_moves SettledMoves.settle_ahead: if move is None",
        "engine.settled_moves SettledMoves._settle: if self._faulty.get(row.entry.name)",
        "engine.settled_moves SettledMoves._settle: except Exception",
        "engine.settled_moves SettledMoves._settle: if len(self._faulty) >= FAULTY_KEPT",
        "engine.settled_moves SettledMoves._settle: not len(self._faulty) >= FAULTY_KEPT",
    ),
    DECLARED: (
        "daemon.housekeeping Housekeeping.declares: ?not self._declaring is not None",
        "daemon.housekeeping Housekeeping.unapplied: ?not self._declaring is not None",
        "daemon.housekeeping Housekeeping.run_once: not self._declaring is not None",
        "daemon.housekeeping Housekeeping._repair: not self._declaring is not None",
    ),
    NOT_EMPTIED: (
        "daemon.housekeeping Housekeeping._report_losses: for line in lines",
        "engine.election Election.emptied:",
        "engine.election Election._campaign: if isinstance(doubt, StoreEmptied)",
        "engine.terms_seen TermsSeen.forget:",
        "engine.tick Tick.tick: if isinstance(trouble, StoreEmptied)",
    ),
    SMALL: (
        "daemon.housekeeping Housekeeping._end_pauses: ? more > 0",
        "dispatches.step_dispatch StepDispatch._remember_unsent: for forgotten in",
        "engine.lookahead Lookahead._must_read: if self._covers is not None",
        "engine.lookahead Lookahead._read: not covers is None or covers > horizon",
        "engine.lookahead Lookahead._read: if covers is not None and limit",
        "engine.lookahead Lookahead.move_on: not due_next and",
        "engine.rewind Rewind.sent: for name in",
    ),
    SHORT: ("daemon.housekeeping Housekeeping._compare_with_leader: if now >=",),
    SAME_REDIS: (
        "dispatches.atomic_dispatch AtomicDispatch.prepare: not self._is_still_one()",
        "dispatches.atomic_dispatch AtomicDispatch.claim: if not self._is_still_one()",
        "dispatches.atomic_dispatch AtomicDispatch._is_still_one: if not self._publisher.asked()",
        "engine.tick Tick.use:",
    ),
    AT_ONCE: (
        "dispatches.step_dispatch StepDispatch.prepare: not held is not None",
        "engine.moves Mover._of_first_moment: ? row is None",
    ),
    NO_SUCH_ENTRY: (
        "engine.moves Mover._run: if entry.options.get('expires') == 'next'",
        "engine.moves unknown:",
        "engine.open_claims as_it_is:",
        "engine.open_claims OpenClaims._claim_with_arguments: ?not row is claim.stored",
        "engine.open_claims OpenClaims._row_with_arguments: ?not entry is row.entry",
    ),
}


def unlisted(branches: Iterable[str]) -> list[str]:
    """Return those of these branches for which no reason is listed."""
    known = tuple(begin for begins in UNREACHED.values() for begin in begins)
    return [branch for branch in branches if not branch.startswith(known)]
