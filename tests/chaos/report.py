"""Verdicts as a table and as JSON."""

from collections.abc import Sequence
from typing import Any

from msgspec import to_builtins

from tests.chaos.faults import Fault
from tests.chaos.verdict import EARLY, MISSING, OTHER_ID, SAME_ID, Verdict

HEAD = (
    "| pair | faults | occurrences | missing | early | doubled under another id"
    " | under the same id (forbidden) | other violations | late in calm: median / p99 |\n"
    "|---|---|---|---|---|---|---|---|---|"
)
OWN_COLUMN = (MISSING, EARLY, OTHER_ID, SAME_ID)


def row(pair: str, faults: Sequence[Fault], found: Verdict) -> str:
    early = str(found.count(EARLY))
    if found.earliest_ms:
        early += f" (by up to {found.earliest_ms:.1f} ms)"
    cells = (
        pair,
        len(faults),
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


def plain(pair: str, seed: str, faults: Sequence[Fault], found: Verdict) -> dict[str, Any]:
    kinds = dict.fromkeys([*OWN_COLUMN, *(one.kind for one in found.violations)])
    return {
        "pair": pair,
        "seed": seed,
        "faults": [str(fault) for fault in faults],
        "counts": {kind: found.count(kind) for kind in kinds},
        **to_builtins(found),
    }
