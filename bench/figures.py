"""Several runs of one contestant, as one row: medians, ranges, and the ratio to the best peer."""

from collections.abc import Sequence
from statistics import median
from typing import Any

SMALLER_IS_BETTER = ("_ms", "_us_each", "_s", "_mib", "cpu", "never_sent", "twice")


def quantile(values: Sequence[float], q: float) -> float:
    """The value that a share q of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def row(runs: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Per figure its median, least and most; figures that only some runs have are left out."""
    shared = [
        key
        for key, value in runs[0].items()
        if isinstance(value, int | float) and all(key in run for run in runs)
    ]
    return {
        key: {
            "median": median(run[key] for run in runs),
            "least": min(run[key] for run in runs),
            "most": max(run[key] for run in runs),
        }
        for key in shared
    }


def ratio(figure: str, ours: float, theirs: Sequence[float]) -> float | None:
    """How many times better than the best of the others; None where there is nothing to compare."""
    known = [value for value in theirs if value not in (0, float("inf"))]
    if not known or not ours:
        return None
    if figure.endswith(SMALLER_IS_BETTER):
        return min(known) / ours
    return ours / max(known)


def shown(figure: str, value: float) -> str:
    if value == float("inf"):
        return "never"
    if figure in ("never_sent", "idle_cpu", "cpu"):
        return f"{value:.2%}" if value < 0.1 else f"{value:.0%}"
    if figure.endswith("_s"):
        return f"{value:.3f}" if value < 1 else f"{value:.1f}"
    if figure.endswith("_ms"):
        return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
    return f"{value:,.0f}"
