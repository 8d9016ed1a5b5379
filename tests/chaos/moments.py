"""The planned moments of a whole run, by what became of them."""

from collections.abc import Sequence

from msgspec import Struct, field

from tests.chaos.arrivals import Arrival, doubled
from tests.chaos.entries import Rule
from tests.chaos.verdict import EARLY, MISSING, Verdict


class Moments(Struct):
    """Each list has Unix seconds; a moment is there once for each entry."""

    due: list[float] = field(default_factory=list)
    missing: list[float] = field(default_factory=list)
    skipped: list[float] = field(default_factory=list)  # skipped or failed, with a reason
    same_id: list[float] = field(default_factory=list)
    other_id: list[float] = field(default_factory=list)
    early: list[float] = field(default_factory=list)
    late: list[tuple[float, float]] = field(default_factory=list)  # the moment; by how many seconds


def moments_of(
    rules: Sequence[Rule],
    arrivals: Sequence[Arrival],
    verdict: Verdict,
    since: float,
    until: float,
) -> Moments:
    """Return what became of each moment up to `until`, of which `verdict` knows the most.

    How late runs were counts from `since`: before it, daemons and servers were started.
    """
    found, first = Moments(), dict[str, float]()
    arrivals = sorted(arrivals, key=lambda one: one.at)
    seen = set[tuple[str, float]]()
    for one in arrivals:
        planned = one.planned.timestamp()
        first[one.entry] = min(planned, first.get(one.entry, planned))
        is_first = (one.entry, planned) not in seen
        if is_first and planned >= since and one.at >= planned:
            found.late.append((planned, one.at - planned))
        seen.add((one.entry, planned))
    for rule in rules:
        steps = range(round(first[rule.entry] / rule.period_s), int(until / rule.period_s) + 1)
        found.due += [step * rule.period_s for step in steps]
    same, other = doubled(arrivals)
    found.same_id = [one.planned.timestamp() for one in same]
    found.other_id = [one.planned.timestamp() for one in other]
    found.missing = _planned(verdict, MISSING)
    found.early = _planned(verdict, EARLY)
    found.skipped = list(verdict.not_run)
    return found


def _planned(verdict: Verdict, kind: str) -> list[float]:
    return [
        one.planned.timestamp() for one in verdict.violations if one.kind == kind and one.planned
    ]
