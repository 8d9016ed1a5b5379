"""Decide what happens to a due run while an earlier run of the same entry has not ended.

All functions are pure. A run of an entry whose `overlap` is not "allow" counts as running from its
claim until a worker reports its end, or until no worker has reported anything about it for
`max_run`.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from beatd.catalog import Plan, Stored
from beatd.ledger import Request, RunningChange
from beatd.planning import (
    LAST_MOMENT,
    USED_UP,
    NextAfter,
    Settlement,
    due_at,
    has_run_out,
    moment_before,
    newest_due,
    next_moment,
    plan_at,
    stretch,
)
from beatd.run import Running, Skip

MAX_RUN_IF_MISSING = timedelta(days=1)  # no edit leaves it out, but a store may be edited by hand
Settle = Callable[[Stored, datetime, NextAfter], Settlement]  # the catch-up rule

STILL_RUNNING = re.compile(r"still running: (?P<id>\S+) since (?P<since>\d\S+)")
REPLACE_WAIT = timedelta(seconds=10)  # then a run that has not ended is revoked again


class Turn(Struct, frozen=True):
    """The decision whether a run may start while an earlier run of its entry is running.

    - `skip` is the reason to skip the run, or "".
    - `until` is when the decision is made again, at the latest; None if the run does not wait.
    - `running` is the change of the stored running run that goes with the decision.
    - `revokes` is the task id of the running run if the workers must end that run, else "".

    If `skip` is "" and `until` is None, the run may start.
    """

    running: RunningChange
    skip: str = ""
    until: datetime | None = None
    revokes: str = ""

    @property
    def is_free(self) -> bool:
        """True if the run may start now."""
        return not self.skip and self.until is None


def blocking(row: Stored, now: datetime) -> Running | None:
    """Return the entry's run that counts as running at `now`, or None."""
    running = row.running
    return running if running is not None and running.until > now else None


def still_running(running: Running | None) -> str:
    """Return the reason "still running", with the task id and start of `running` if it is given."""
    if running is None:
        return "still running"
    since = running.since.replace(microsecond=0).isoformat()
    return f"still running: {running.task_id} since {since}"


def reason_text(reason: str, moment_text: Callable[[datetime], str]) -> str:
    """Return the reason of a skip for people: `moment_text` writes the time that it has in UTC."""
    found = STILL_RUNNING.match(reason)
    if found is None:
        return reason
    try:
        since = datetime.fromisoformat(found["since"])
    except ValueError:
        return reason
    return f"{reason[: found.start('since')]}{moment_text(since)}{reason[found.end() :]}"


def turn_of(row: Stored, now: datetime) -> Turn:
    """Return the decision whether a run of the entry may start at `now`, by its `overlap`."""
    held = blocking(row, now)
    if held is None:
        return Turn(_starts(row, now, is_over=row.running is not None))
    if row.entry.overlap == "skip":
        return Turn(RunningChange(seen=held.task_id), skip=still_running(held))
    until, revokes = held.until, ""
    if row.entry.overlap == "replace":
        until, revokes = min(held.until, now + REPLACE_WAIT), held.task_id
    running = RunningChange(seen=held.task_id, until=held.until)
    return Turn(running, until=until, revokes=revokes)


def turn_of_request(request: Request, row: Stored, now: datetime) -> Turn | None:
    """Return the decision about the next run of a request, or None if the run has to wait.

    A `trigger` follows the entry's `overlap`. Backfills and backlogs run one moment at a time: they
    wait until no run is running and no planned run is due.
    """
    turn, due = turn_of(row, now), row.plan.due
    if request.kind == "trigger":
        return None if turn.until is not None and not turn.revokes else turn
    return turn if turn.is_free and (due is None or due > now) else None


def turn_of_claim(row: Stored, task_id: str, now: datetime) -> RunningChange | None:
    """Return the change that lets a possibly unsent run be sent again, or None if it must wait.

    The change makes it the entry's running run. It waits while another run of the entry is running,
    but never for itself.
    """
    other = row.running is not None and row.running.task_id != task_id
    if other and blocking(row, now):
        return None
    return _starts(row, now, is_over=other)


def end_of_claim(row: Stored | None, task_id: str, unsent: bool) -> RunningChange | None:
    """Return the change that ends an entry's running run because the run was certainly not sent.

    The result is None if `unsent` is False: the run may have been sent, and counts as running until
    its end is reported. It is None too if the run `task_id` is not the entry's running run.
    """
    if row is None or not unsent or not row.running or row.running.task_id != task_id:
        return None
    return RunningChange(seen=task_id, ends=True)


def settle_in_turn(
    row: Stored, now: datetime, next_after: NextAfter, settle: Settle
) -> tuple[Settlement, Turn | None]:
    """Return which planned runs of a due entry are sent now, later or never, without an overlap.

    The second result says what happens to a running run; it is None if there is none. A run that
    waited for another one to end is not late: the newest one starts, and older ones are skipped as
    "still running" (with `catch_up: all` they run, too). In all other cases `settle`, the catch-up
    rule, decides.
    """
    entry, oldest = row.entry, row.plan.planned
    assert oldest is not None and row.plan.due is not None, "a row without a moment is not due"
    due = due_at(entry, oldest, next_after)
    if due > now:
        # The end of a run made the row due, but the plan that waited was replaced by an edit.
        return Settlement(publish=None, plan=replace(row.plan, due=due)), None
    if row.plan.due > due:
        settlement = _settle_waiting(row, oldest, now, next_after, settle)
    else:
        settlement = settle(row, now, next_after)
    newest, turn = settlement.publish, turn_of(row, now)
    if newest is None:
        if row.running is None or not (turn.is_free or row.running.waits):
            return settlement, None
        if not turn.is_free:
            # The plan waited for this run and moves on; it no longer waits.
            return settlement, Turn(RunningChange(seen=row.running.task_id))
        # The plan may wait for a run of which nobody reports anything; it moves on without it.
        return settlement, Turn(RunningChange(seen=row.running.task_id, is_over=True, ends=True))
    if turn.is_free:
        return settlement, turn
    plan, skips, mark = settlement.plan, settlement.skips, row.plan.fingerprint
    if turn.skip:
        plan = plan_at(entry, next_moment(entry, newest, next_after), mark, next_after)
        skips = (stretch(entry, oldest, newest, turn.skip),)
    else:
        plan = Plan(planned=newest, due=turn.until, fingerprint=mark, rules=row.plan.rules)
    return Settlement(publish=None, plan=plan, skips=skips), turn


def _settle_waiting(
    row: Stored, oldest: datetime, now: datetime, next_after: NextAfter, settle: Settle
) -> Settlement:
    # The run `oldest` waited for another run to end.
    entry, newest = row.entry, newest_due(row.entry, oldest, now, next_after)
    if newest > oldest and entry.catch_up == "all":
        return settle(row, now, next_after)
    skips: tuple[Skip, ...] = ()
    if has_run_out(entry, row.runs):
        # A backlog that was published meanwhile had the last run.
        skips = (stretch(entry, oldest, newest, USED_UP),)
    elif newest > oldest:
        last_skipped = moment_before(entry, oldest, newest, next_after)
        skips = (stretch(entry, oldest, last_skipped, still_running(row.running)),)
    following = next_moment(entry, newest, next_after)
    if has_run_out(entry, row.runs + 1):
        following = None
    plan = plan_at(entry, following, row.plan.fingerprint, next_after)
    publish = None if has_run_out(entry, row.runs) else newest
    return Settlement(publish=publish, plan=plan, skips=skips)


def _starts(row: Stored, now: datetime, *, is_over: bool) -> RunningChange:
    # If no worker reports anything about the run, it counts as running for `max_run`.
    max_run = row.entry.max_run
    if max_run is None or max_run <= timedelta(0):
        max_run = MAX_RUN_IF_MISSING
    lasts = min(max_run, LAST_MOMENT - now)
    seen = "" if row.running is None else row.running.task_id
    return RunningChange(seen=seen, is_over=is_over, until=now + lasts)
