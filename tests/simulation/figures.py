"""The figures of many lives, printed and as JSON."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tests.simulation import call_sites
from tests.simulation.call_sites import kinds_at
from tests.simulation.course import side_of
from tests.simulation.numbered import Played
from tests.simulation.unreached import unlisted


def coverage(played: Played) -> Iterator[str]:
    """Yield a table of calls and faults, and the branches that no life took."""
    yield from call_sites.table(played)
    never = [branch for branch, times in played.branches.items() if not times]
    if played.branches:
        yield f"{len(played.branches) - len(never)} of {len(played.branches)} branches taken"
    for branch in never:
        yield f"not taken: {branch}"


def lacking(played: Played) -> list[str]:
    """Return the faults and branches that a long run must reach, and this one did not."""
    never = [branch for branch, times in played.branches.items() if not times]
    return [*call_sites.unhit(played), *unlisted(never)]


def write(path: Path, played: Played, seconds: float) -> None:
    faults = Counter[str]()
    for place, answered in played.passed:
        for kind in kinds_at(answered):
            faults[kind] += played.seen[f"{kind} {side_of(place, answered)}"]
    figures: dict[str, Any] = {
        "seeds": played.numbers,
        "seconds": round(seconds, 1),
        "seeds_per_second_and_core": round(played.numbers / (played.cpu_s or 1.0), 1),
        "broken": {str(number): played.broken[number] for number in sorted(played.broken)},
        "faults": dict(sorted(faults.items())),
        "seen": dict(sorted(played.seen.items())),
        "calls": {side_of(*site): times for site, times in sorted(played.passed.items())},
        "branches": dict(played.branches),
        "lacking": lacking(played),
    }
    path.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=1))
