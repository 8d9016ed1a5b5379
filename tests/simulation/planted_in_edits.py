"""Planted bugs of what is declared and paused, and of daemons of two versions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

import beatd.daemon.housekeeping
import beatd.daemon.planning_rules
import beatd.edits.editing
import beatd.edits.pausing
import beatd.edits.replan
import beatd.engine.election
import beatd.engine.tick
from beatd.catalog import Change, Query
from beatd.daemon.housekeeping import Housekeeping
from beatd.edits.pausing import RESUME_AHEAD
from beatd.errors import Deposed, StoreEmptied
from beatd.unapplied import Unapplied
from tests.simulation.planting import Patch, plant

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
    patch.setattr(beatd.daemon.planning_rules, "needs_replan", lambda catalog: True)
    moved = beatd.edits.replan._moved

    def again(row: Any, *times: datetime) -> Any:
        return moved(replace(row, plan=replace(row.plan, rules="")), *times)

    patch.setattr(beatd.edits.replan, "_moved", again)
    replanned = beatd.edits.replan.replan

    def all_rows(catalog: Any, *more: Any) -> int:
        with patch.context() as rules:
            rules.setattr(beatd.edits.replan, "Query", lambda **query: Query(order="next"))
            return replanned(catalog, *more)

    patch.setattr(beatd.daemon.planning_rules, "replan", all_rows)


@plant
def an_older_leader_leaves_no_note_of_its_rules(patch: Patch) -> None:
    patch.setattr(beatd.daemon.planning_rules, "note_older_rules", lambda *more: False)


@plant
def a_newer_leader_plans_nothing_again(patch: Patch) -> None:
    patch.setattr(beatd.daemon.planning_rules, "needs_replan", lambda catalog: False)


@plant
def a_newer_leader_notes_its_rules_and_plans_nothing_again(patch: Patch) -> None:
    patch.setattr(beatd.edits.replan, "_moved", lambda row, now, after: None)


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
