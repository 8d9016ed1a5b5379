"""What became of every occurrence, held against what its entry demands."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from msgspec import Struct, field

from tests.chaos.arrivals import Arrival, doubled, silence
from tests.chaos.entries import Rule
from tests.chaos.faults import Fault

BEFORE_S = 1.0  # what was due so long before a fault may be on its way when it strikes
UNKNOWN = "unknown"  # why a run with `on_unknown: skip` is skipped
MISSING, EARLY, OTHER_ID = "missing", "early", "doubled under another id"
SAME_ID = "doubled under the same id, forbidden"
UNTOLD, IDLE_SKIP = "arrived and not in the history", "skipped while nothing was broken"
NOT_BACK, ENDED = "not on time again", "a daemon ended by itself"
OPEN = "open claims or a backlog stay"


class Record(Struct, frozen=True):
    """A line of `beatd history --json`."""

    entry: str
    planned: datetime
    state: str
    reason: str | None = None
    task_id: str | None = None
    published: datetime | None = None
    until: datetime | None = None
    outcome: str | None = None


class Struck(Struct, frozen=True):
    """A fault, when it came and when it was over, on the clock that made the planned moments."""

    fault: Fault
    at: float
    mended: float
    back: float | None  # since then all entries were on time
    takeovers: int = 0  # from the strike until all entries were on time

    @property
    def over(self) -> float:
        return float("inf") if self.back is None else self.back


class Violation(Struct, frozen=True):
    kind: str
    words: str
    entry: str = ""
    planned: datetime | None = None


class Verdict(Struct, kw_only=True):
    occurrences: int = 0
    messages: int = 0
    skipped: Counter[str] = field(default_factory=Counter)  # by reason
    failed: Counter[str] = field(default_factory=Counter)
    not_run: list[float] = field(default_factory=list)  # moments of both, in Unix seconds
    same_id: int = 0  # all of them, also those that the protocol allows
    earliest_ms: float = 0.0
    late_ms: tuple[float, float] = (0.0, 0.0)  # median and p99 while nothing was broken
    gap_s: dict[str, float] = field(default_factory=dict)  # the longest, by kind of fault
    violations: list[Violation] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return sum(one.kind == kind for one in self.violations)


def judge(
    rules: Sequence[Rule],
    arrivals: Sequence[Arrival],
    records: Iterable[Record],
    struck: Sequence[Struck],
    until: float,
    *,
    atomic: bool,
    forgets: bool = False,
) -> Verdict:
    """Judge every moment up to `until`, from the first one of which an entry's message arrived.

    A store that `forgets` what it acknowledged, as a Redis that fails over, may repeat any run,
    under its own id.
    """
    found = Verdict(messages=len(arrivals))
    arrivals = sorted(arrivals, key=lambda one: one.at)
    told = defaultdict[tuple[str, int], list[Record]](list)
    of_entry = {rule.entry: rule for rule in rules}
    for record in records:
        for step in _steps(of_entry[record.entry], record):
            told[record.entry, step].append(record)
    arrived = defaultdict[str, set[int]](set)
    for one in arrivals:
        arrived[one.entry].add(_step(of_entry[one.entry], one.planned))
    for rule in rules:
        for step in range(min(arrived[rule.entry]), int(until / rule.period_s) + 1):
            found.occurrences += 1
            here = told[rule.entry, step]
            _judge(found, rule, step, step in arrived[rule.entry], here, struck)
    _early(found, arrivals)
    _doubled(found, arrivals, {} if forgets else of_entry, atomic=atomic)
    _timing(found, arrivals, struck)
    found.violations += [
        Violation(NOT_BACK, f"after {one.fault}") for one in struck if one.back is None
    ]
    return found


def _judge(
    found: Verdict,
    rule: Rule,
    step: int,
    arrived: bool,
    told: Sequence[Record],
    struck: Sequence[Struck],
) -> None:
    planned = step * rule.period_s
    states = {record.state: record for record in told}
    words = ""
    if arrived:
        if not told:
            words, kind = "its message arrived", UNTOLD
    elif (failed := states.get("failed")) and failed.reason:
        found.failed[failed.reason] += 1
        found.not_run.append(planned)
    elif (skipped := states.get("skipped")) and skipped.reason:
        found.skipped[skipped.reason] += 1
        found.not_run.append(planned)
        doubted = rule.on_unknown == "skip" and skipped.reason == UNKNOWN
        if rule.catch_up == "all" and not doubted:
            words, kind = f"demanded, and skipped: {skipped.reason}", MISSING
        elif calm(planned, struck) and not doubted:
            words, kind = f"skipped: {skipped.reason}", IDLE_SKIP
    else:
        states_told = ", ".join(sorted(states)) or "not there"
        words, kind = f"its message never arrived; in the history it is {states_told}", MISSING
    if words:
        moment = datetime.fromtimestamp(planned, UTC)
        found.violations.append(Violation(kind, words, rule.entry, moment))


def _early(found: Verdict, arrivals: Sequence[Arrival]) -> None:
    for one in arrivals:
        early_ms = (one.planned.timestamp() - one.at) * 1000
        if early_ms > 0:
            found.earliest_ms = max(found.earliest_ms, early_ms)
            words = f"arrived {early_ms:.3f} ms before its moment"
            found.violations.append(Violation(EARLY, words, one.entry, one.planned))


def _doubled(
    found: Verdict, arrivals: Sequence[Arrival], rules: dict[str, Rule], *, atomic: bool
) -> None:
    same, other = doubled(arrivals)
    found.same_id = len(same)
    for one in other:
        words = f"another message arrived under id {one.task_id}"
        found.violations.append(Violation(OTHER_ID, words, one.entry, one.planned))
    for one in same:
        rule = rules.get(one.entry)
        if rule and (atomic or rule.on_unknown == "skip"):
            why = "one Redis" if atomic else "on_unknown: skip"
            words = f"arrived again, in spite of {why}, under id {one.task_id}"
            found.violations.append(Violation(SAME_ID, words, one.entry, one.planned))


def _timing(found: Verdict, arrivals: Sequence[Arrival], struck: Sequence[Struck]) -> None:
    late = [
        (one.at - moment) * 1000
        for one in arrivals
        if calm(moment := one.planned.timestamp(), struck)
    ]
    if len(late) > 1:
        found.late_ms = (statistics.median(late), statistics.quantiles(late, n=100)[98])
    for one in struck:
        kind = one.fault.name
        until = one.over + BEFORE_S
        gap = silence([a for a in arrivals if one.at <= a.at <= until], one.at)
        found.gap_s[kind] = max(gap, found.gap_s.get(kind, 0.0))


def calm(moment: float, struck: Sequence[Struck]) -> bool:
    return not any(one.at - BEFORE_S <= moment <= one.over for one in struck)


def _step(rule: Rule, planned: datetime) -> int:
    return round(planned.timestamp() / rule.period_s)


def _steps(rule: Rule, record: Record) -> Iterator[int]:
    yield from range(_step(rule, record.planned), _step(rule, record.until or record.planned) + 1)
