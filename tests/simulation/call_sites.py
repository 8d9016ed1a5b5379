"""Where a daemon calls its servers, and how often each kind of fault struck each of these calls."""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import beatd
from beatd.store import Store
from tests.simulation.course import Aimed, side_of
from tests.simulation.numbered import Played, has_workers
from tests.simulation.scenario import play

ROOT = Path(beatd.__file__).parent
CALLERS = tuple(
    f"{part}/*.py" for part in ("engine", "dispatches", "daemon", "outcomes", "edits", "alerts")
)
KINDS = ("crash", "freeze", "slow")
LENGTH_S = {"freeze": " 2.5", "slow": " 2.5"}
OF_MESSAGES = ("unsent", "rejected", "unknown, lost", "unknown, arrived")
#: What the files above call of a store, and no daemon of a life does, by the reason.
NOT_CALLED = {
    "read when the store opens, and no call": {"atomic", "namespace", "marks", "records"},
    "of operators, who reach the store without faults": {"add_requests", "change"},
    "of pages and monitors, which no life has": {"open_claims", "problems"},
    "no boundary, so that older lives stay as they are": {"forget_changes", "losses"},
    "the world does it": {"close", "watch"},
}
Site = tuple[str, bool]  # the place, and whether the call had its effect


def kinds_at(answered: bool) -> tuple[str, ...]:
    return (*KINDS, "lost" if answered else "error")


def table(played: Played) -> Iterator[str]:
    """Yield a line for each call: how often it was made, and how often each fault struck it."""
    yield f"{'call':30}{'passed':>10}" + "".join(f"{kind:>9}" for kind in (*KINDS, "error/lost"))
    for place, answered in sorted(played.passed, key=lambda site: (site[0], site[1])):
        where = side_of(place, answered)
        counts = [played.seen[f"{kind} {where}"] for kind in kinds_at(answered)]
        times = played.passed[place, answered]
        yield f"{where:30}{times:10}" + "".join(f"{count:9}" for count in counts)
    for fault in OF_MESSAGES:
        yield f"{'message: ' + fault:30}{played.seen[f'message: {fault}']:10}"
    for kind, times in sorted(played.seen.items()):
        if kind.startswith("nature: "):
            yield f"{kind:30}{times:10}"


def unhit(played: Played) -> list[str]:
    """Return each fault at each call that never struck, and each call that was never made."""
    faults = [
        f"{kind} {side_of(*site)}" for site in sorted(played.passed) for kind in kinds_at(site[1])
    ]
    faults += [f"message: {fault}" for fault in OF_MESSAGES]
    passed = {place for place, _ in played.passed}
    never = [f"store.{name}" for name in sorted(called())]
    return [
        *(fault for fault in faults if not played.seen[fault]),
        *(f"{place} was never called" for place in never if place not in passed),
    ]


@lru_cache
def called() -> set[str]:
    """Return the methods of a store that the code of daemons calls, but for those of NOT_CALLED."""
    methods = {name for name in dir(Store) if not name.startswith("_")}
    names = {
        node.attr
        for pattern in CALLERS
        for path in ROOT.glob(pattern)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    }
    return (methods & names).difference(*NOT_CALLED.values())


def aim(played: Played) -> None:
    """Play lives with one fault more, until each kind of fault has struck each call."""
    for (place, answered), seeds in sorted(played.seeds_of.items()):
        where = side_of(place, answered)
        for kind in kinds_at(answered):
            if not played.seen[f"{kind} {where}"]:
                _aim_at(played, seeds, kind + LENGTH_S.get(kind, ""), where)


def _aim_at(played: Played, seeds: list[int], fault: str, where: str) -> None:
    for seed in seeds:
        course, seen = Aimed(fault, where), Counter[str]()
        try:
            seen = play(seed, overlap=has_workers(seed), course=course).seen
        except Exception as broken:
            played.broken_aimed[seed, fault, where] = f"{type(broken).__name__}: {broken}"
            return
        if course.has_struck:
            played.seen += seen
            played.aimed += 1
            return
