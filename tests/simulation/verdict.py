"""When all has been well for long enough: nothing may be open, owed, late or untold."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from beatd import planning
from beatd.catalog import Query
from beatd.engine.open_claims import LOOK_EVERY_S
from beatd.history import Record
from beatd.ledger import Request
from beatd.run import Occurrence, Running, task_id
from beatd.run_outcome import run_ended
from tests.simulation.deployment import TTL
from tests.simulation.truth import Truth
from tests.simulation.truth_values import FILES, PUBLISH_TIMEOUT, Stretch
from tests.simulation.versions import NEWER, is_zoned
from tests.simulation.world import Violation


def verdict(
    truth: Truth,
    now: datetime,
    never_ending: frozenset[str] = frozenset(),
    *,
    leader_is_old: bool = False,
) -> None:
    """Raise Violation if a promise does not hold; `never_ending` are entries of a full queue."""
    rows = list(truth.store.find(Query()))
    names = {row.entry.name for row in rows} if leader_is_old else set()
    unread = frozenset(name for name in names if name.startswith(NEWER))
    never_ending |= unread
    if not leader_is_old:
        truth.versions.look_for_not_planned_again(rows, now)
    for row in rows:
        known = truth.known[row.entry.name]
        truth.compare_runs(known, row)
        if known.stretch is not None:
            known.stretch.end(row)
        due = row.plan.due
        if due is not None and row.entry.name not in unread and (now - due).total_seconds() > 1.5:
            raise Violation(f"L2 {row.entry.name} was due at {due}, and it is {now}")
    _compare_files(truth)
    lines = list(truth.store.history(None, None))
    running, far = truth.store.running(None), now + timedelta(minutes=5)
    # Claimed by a host whose clock was ahead by an hour; nobody reports anything of them.
    waiting = {name for name, run in running.items() if run.until > far and not truth.checks_age}
    never_ending |= waiting
    for occurrence, sending in truth.open.items():
        claim = truth.store._tables.claims[occurrence]
        soon = now - timedelta(seconds=2 * PUBLISH_TIMEOUT)
        kinds = ("clock", "clock, far", "fail-over")
        was_set = any(truth.world.seen[f"nature: {kind}"] for kind in kinds)
        if (was_set or not truth.checks_age) and claim.claimed_at > soon:
            # By a host whose clock was ahead, where no store has a clock, or by a clock of the
            # store that was set back since: it waits until then.
            truth.world.seen["a claim from the future"] += 1
        elif truth.versions.are_two and _waits_for_others(truth):
            truth.world.seen["a claim waits in a new term"] += 1
        elif _waits_for_another(truth, claim.task_id, running.get(occurrence.name)):
            truth.world.seen["a claim waits for another run"] += 1
        elif occurrence.name not in never_ending and truth.world.elapsed() - sending.at > 1.0:
            raise Violation(f"S7 still open: {occurrence}")
    truth.overlaps.look_for_stuck(
        {name: run for name, run in running.items() if name not in waiting}, now
    )
    requests = truth.store.requests(1000)
    owing = {request.name for request, _ in requests}
    for request, stored in requests:
        if request.name in unread or (stored is not None and stored.entry.overlap != "allow"):
            continue  # its moments run one at a time
        if (now - request.first).total_seconds() > 1.5:
            raise Violation(f"S7 still owed: {request}")
    told: dict[str, list[Record | Request]] = defaultdict(list)
    for line in lines:
        told[line.name].append(line)
    for request, stored in requests:
        waits = request.name in unread or (stored is not None and stored.entry.overlap != "allow")
        if request.kind == "backlog" and stored is not None and waits:
            told[request.name].append(request)
    for stretch in truth.stretches:
        with truth.versions.as_program(is_old=stretch.is_old):
            _look_for_missing(stretch, told[stretch.entry.name])
    _compare_history(truth, lines)
    readable = [row for row in rows if row.entry.name not in unread]
    truth.pauses.look_for_missing(readable, lines, now)
    truth.losses.look_for_unreported()
    _look_for_backfills(truth, {line.task_id for line in lines}, owing, unread)


def _waits_for_others(truth: Truth) -> bool:
    """Whether the leader waits for what those before it may still be publishing.

    An older program may lead until the store refuses it, and that in the calm.
    """
    leads = truth.store.term()
    began = float("-inf") if leads is None else truth.began[leads[0].number]
    waits_until = began + TTL + PUBLISH_TIMEOUT + LOOK_EVERY_S
    return began > truth.calm_since and truth.world.elapsed() < waits_until


def _waits_for_another(truth: Truth, task_id: str, running: Running | None) -> bool:
    """Whether another run of the entry goes on, of which no worker has told the end."""
    if running is None or running.task_id == task_id:
        return False
    told = truth.store.outcomes([running.task_id]).get(running.task_id, ())
    return not told or not run_ended(told)


def _compare_files(truth: Truth) -> None:
    there = {row.entry.name: row.entry for row in truth.store.find(Query(source=FILES))}
    for name, (entry, _) in truth.declared.items():
        if there.get(name) != entry:
            raise Violation(
                f"S10 {name} is {there.get(name)} in the store, and {entry} in the files"
            )


def _look_for_missing(stretch: Stretch, lines: list[Record | Request]) -> None:
    """Every moment that the plan passed has its line, or waits its turn; or the plan never came to
    it."""
    moment: datetime | None = stretch.first
    name = stretch.entry.name
    single = {line.planned for line in lines if isinstance(line, Record)}
    long = [line for line in lines if isinstance(line, Request) or line.until is not None]
    while moment is not None and (stretch.until is None or moment < stretch.until):
        if stretch.last is not None and moment > stretch.last:
            return
        if moment not in single and not any(_covers(line, moment) for line in long):
            raise Violation(f"S7 {name} at {moment} vanished")
        moment = planning.next_moment(stretch.entry, moment)


def _covers(line: Record | Request, moment: datetime) -> bool:
    if isinstance(line, Request):
        return line.first <= moment <= line.last
    return line.planned <= moment <= (line.until or line.planned)


def _look_for_backfills(
    truth: Truth, told: set[str], owing: set[str], unread: frozenset[str]
) -> None:
    for backfill in truth.backfills:
        name, id = backfill.request.name, backfill.request.id
        if is_zoned(backfill.entry) or (name in owing and name in unread):
            continue
        if name in owing and truth.known[name].entry.overlap != "allow":
            continue
        for moment in backfill.moments():
            if task_id(truth.store.namespace, Occurrence(name, moment, id)) not in told:
                raise Violation(f"S7 {name} at {moment} was asked for, and vanished")
            truth.world.seen["a moment was backfilled"] += 1


def _compare_history(truth: Truth, lines: list[Record]) -> None:
    sent = Counter(arrival.run.task_id for arrival in truth.arrived)
    under_way = {line.task_id for line in lines if line.state == "claimed"}
    published: set[str] = set()
    for line in lines:
        if line.state == "published":
            published.add(line.task_id)
            if not sent[line.task_id]:
                raise Violation(f"S8 told as published, and never sent: {line}")
    for arrival in truth.arrived:
        id = arrival.run.task_id
        if id not in published | under_way and not truth.doubts[id]:
            raise Violation(f"S8 sent, and not told as published: {arrival.key}")
    for process, ids in truth.confirmed.items():
        if process.alive and (lacking := ids - published - under_way):
            raise Violation(f"S8 {process.name} knows that {sorted(lacking)} was published")
    ended = Counter(line.task_id for line in lines if line.state != "claimed" and line.task_id)
    for id, times in ended.items():
        if times > truth.store.lives[id]:
            raise Violation(f"S7 {id} ended {times} times")
