"""Verdicts as a table and as JSON."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec import Struct, to_builtins

from tests.chaos.fault_table import Line
from tests.chaos.outcomes import Outcomes
from tests.chaos.verdict import EARLY, MISSING, OTHER_ID, SAME_ID, Struck, Verdict

HEAD = (
    "| pair | faults | occurrences | missing | early | doubled under another id"
    " | under the same id (forbidden) | other violations | late in calm: median / p99 |\n"
    "|---|---|---|---|---|---|---|---|---|"
)
OWN_COLUMN = (MISSING, EARLY, OTHER_ID, SAME_ID)


class Run(Struct):
    """What a run of one pair has found."""

    struck: Sequence[Struck]
    verdict: Verdict
    outcomes: Outcomes
    table: Sequence[Line]


def row(pair: str, faults: int, found: Verdict) -> str:
    early = str(found.count(EARLY))
    if found.earliest_ms:
        early += f" (by up to {found.earliest_ms:.1f} ms)"
    cells = (
        pair,
        faults,
        found.occurrences,
        found.count(MISSING),
        early,
        found.count(OTHER_ID),
        f"{found.same_id} ({found.count(SAME_ID)})",
        sum(one.kind not in OWN_COLUMN for one in found.violations),
        " / ".join(f"{ms:.1f}" for ms in found.late_ms) + " ms",
    )
    return f"| {' | '.join(map(str, cells))} |"


def gaps(pair: str, found: Verdict) -> str:
    """How long nobody published, at most, after each kind of fault."""
    longest = (f"{kind} {seconds:.1f}" for kind, seconds in sorted(found.gap_s.items()))
    return f"{pair}: longest time without a message, in s: {', '.join(longest)}"


def broken(found: Verdict) -> str:
    """Return how often each promise was broken, in one line."""
    kinds = Counter(one.kind for one in found.violations)
    counts = (f"{kind}: {count}" for kind, count in sorted(kinds.items()))
    return f"broken promises: {'; '.join(counts) or 'none'}"


def plain(pair: str, seed: str, run: Run) -> dict[str, Any]:
    found = run.verdict
    kinds = dict.fromkeys([*OWN_COLUMN, *(one.kind for one in found.violations)])
    return {
        "pair": pair,
        "seed": seed,
        "faults": [str(one.fault) for one in run.struck],
        "counts": {kind: found.count(kind) for kind in kinds},
        "table": to_builtins(run.table),
        "outcomes": to_builtins(run.outcomes),
        **to_builtins(found),
    }
