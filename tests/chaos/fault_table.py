"""The table of a run: what became of the runs that were due during each kind of fault."""

import statistics
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from msgspec import Struct

from tests.chaos.moments import Moments
from tests.chaos.verdict import BEFORE_S, Struck

CALM, ALL = "nothing broken", "all"
HEAD = (
    "| fault | faults | runs due | missing | skipped | doubled, same id | doubled, other id | early"
    " | late p50 | late p99 | late max | takeovers |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|"
)


class Line(Struct):
    """The sums of one kind of fault."""

    fault: str
    faults: int = 0
    due: int = 0
    missing: int = 0
    skipped: int = 0  # or failed, with a reason in the history
    same_id: int = 0
    other_id: int = 0
    early: int = 0
    late_ms: tuple[float, float, float] | None = None  # p50, p99 and max, of runs that came late
    takeovers: int = 0

    def __str__(self) -> str:
        late = ["-"] * 3 if self.late_ms is None else [_length(ms) for ms in self.late_ms]
        counts = (
            self.faults, self.due, self.missing, self.skipped,
            self.same_id, self.other_id, self.early,
        )  # fmt: skip
        return f"| {' | '.join(map(str, (self.fault, *counts, *late, self.takeovers)))} |"


def lines(moments: Moments, struck: Sequence[Struck], after_s: float = 0.0) -> list[Line]:
    """Return a line for each kind of fault, one for the time without a fault, and one for all.

    A run belongs to a fault if it was due in the second before the fault, during it, or before all
    entries were on time again, and `after_s` longer.
    """
    of_kind = {kind: Line(kind) for kind in sorted({one.fault.name for one in struck})}
    calm, whole = Line(CALM), Line(ALL)
    for one in struck:
        for line in (of_kind[one.fault.name], whole):
            line.faults += 1
            line.takeovers += one.takeovers
    begins = [one.at - BEFORE_S for one in struck]

    def during(moment: float) -> Line:
        nth = bisect_right(begins, moment) - 1
        if nth < 0 or moment > struck[nth].over + after_s:
            return calm
        return of_kind[struck[nth].fault.name]

    for what in ("due", "missing", "skipped", "same_id", "other_id", "early"):
        for moment in getattr(moments, what):
            for line in (during(moment), whole):
                setattr(line, what, getattr(line, what) + 1)
    late: dict[str, list[float]] = {}
    for moment, seconds in moments.late:
        for line in (during(moment), whole):
            late.setdefault(line.fault, []).append(seconds * 1000)
    found = [*of_kind.values(), calm, whole]
    for line in found:
        line.late_ms = _late(late.get(line.fault, ()))
    return found


def text(found: Iterable[Line]) -> str:
    return "\n".join((HEAD, *map(str, found)))


def _late(ms: Sequence[float]) -> tuple[float, float, float] | None:
    if not ms:
        return None
    p99 = statistics.quantiles(ms, n=100, method="inclusive")[98] if len(ms) > 1 else ms[0]
    return statistics.median(ms), p99, max(ms)


def _length(ms: float) -> str:
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"
