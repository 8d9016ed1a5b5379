"""What beatd knows of the executed runs, held against what the worker executed."""

from collections.abc import Sequence

from msgspec import Struct, field

from tests.chaos.verdict import Record, Struck, Violation, calm
from tests.chaos.worker_app import Executed

UNREPORTED = "executed while nothing was broken, and no outcome"
INVENTED = "succeeded in the history, and never executed"
ENDS = ("succeeded", "failed", "retried", "revoked", "expired")


class Outcomes(Struct):
    executed: int = 0  # task ids; one that was delivered twice counts once
    known: int = 0  # those whose end is in the history
    unreported: int = 0  # the others
    violations: list[Violation] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"executed by a worker: {self.executed} runs; with an outcome: {self.known};"
            f" without one: {self.unreported}"
        )


def judge(
    executed: Sequence[Executed],
    records: Sequence[Record],
    struck: Sequence[Struck],
    until: float,
) -> Outcomes:
    """Judge what was executed up to `until`. A report may be lost with a broker that breaks."""
    ids = {one.task_id: one for one in executed}
    known = {one.task_id for one in records if one.task_id and one.outcome in ENDS}
    found = Outcomes(executed=len(ids), known=len(known & ids.keys()))
    for task_id, one in ids.items():
        if task_id in known or one.at > until:
            continue
        found.unreported += 1
        # A store that went back forgets a run and, with it, its outcome.
        if calm(one.at, struck) and calm(one.planned.timestamp(), struck):
            words = f"task id {task_id}"
            found.violations.append(Violation(UNREPORTED, words, one.entry, one.planned))
    for record in records:
        if record.outcome == "succeeded" and record.task_id not in ids:
            words = f"task id {record.task_id}"
            found.violations.append(Violation(INVENTED, words, record.entry, record.planned))
    return found
