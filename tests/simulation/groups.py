"""Runs of several messages: the broker may take a part of them, and the rest is sent later.

What of a group is still to be sent, and what its outcome is, is decided by the publisher's own
`CanvasParts`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from beatd.publisher import Outcome
from beatd.publishers.canvas_parts import CanvasParts
from beatd.publishers.message import Message, Route
from beatd.run import Run
from tests.simulation.truth_values import Key
from tests.simulation.world import Violation

SIZE = 3
ROUTE = Route("", "celery", None, ())


@dataclass
class Groups:
    """Which messages of each group have arrived, and how often."""

    arrived: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    # The same of each generation of an entry.
    begun: dict[Key, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def arrive(self, run: Run, id: str, key: Key, times_lost: int) -> bool:
        """Return True if the broker has one more whole group of the run with this message.

        Each time that the store lost the run, all its parts may be sent once more.
        """
        parts = self.arrived[run.task_id]
        whole = min(parts[id] for id in ids_of(run))
        if id not in ids_of(run):
            raise Violation(f"S13 {id} is no part of {run.task_id}")
        if self.begun[key][id] > times_lost and run.entry.on_unknown == "skip":
            raise Violation(f"S13 a part was doubled although on_unknown is skip: {id}")
        parts[id] += 1
        self.begun[key][id] += 1
        return min(parts[id] for id in ids_of(run)) > whole

    def recorded(self, run: Run, outcome: Outcome, key: Key, times_lost: int) -> None:
        """Raise Violation if half of a group counts as a whole one, or as nothing.

        A run that the store lost begins again, and nobody knows what of it was sent before. A run
        of which no part arrived may have been sent before an edit, as one message: see S8. An entry
        that is removed and added again may come to a moment once more, if the clock was set back.
        """
        lacking = [id for id in ids_of(run) if not self.arrived[run.task_id][id]]
        if outcome.sent == "confirmed" and 0 < len(lacking) < SIZE:
            raise Violation(f"S13 {run.task_id} counts as sent without its {lacking}")
        if outcome.sent == "unsent" and self.begun[key] and not times_lost:
            raise Violation(f"S13 {run.task_id} counts as not sent, and a part of it was")


def is_group(run: Run) -> bool:
    return run.entry.task == "group"


def ids_of(run: Run) -> tuple[str, ...]:
    return tuple(f"{run.task_id}/{place}" for place in range(SIZE))


class InParts:
    """How one process sends groups, and knows what of each it has sent."""

    def __init__(self, seen: Counter[str], groups: Groups) -> None:
        self._parts, self._seen, self._groups = CanvasParts(), seen, groups
        self._has: dict[str, set[str]] = {}  # parts that the broker has of a run to be completed

    def send(self, run: Run, take: Callable[[str], Outcome]) -> Outcome:
        """Send what is lacking; `take` gives the broker a message by its id."""
        messages = [Message(ROUTE, None, id) for id in ids_of(run)]
        made: Any = Message(ROUTE, None, messages[0].id, rest=tuple(messages[1:]))
        attempt = self._parts.begin([made])
        lacking: Sequence[Message] = attempt.messages()
        if len(lacking) < SIZE:
            self._seen["the rest of a group was sent"] += 1
        has = self._has.pop(run.task_id, set())
        if again := sorted(has & {message.id for message in lacking}):
            raise Violation(f"S13 {again} were sent again by the daemon that had sent them")
        sent = [take(message.id) for message in lacking]
        (outcome,) = attempt.outcomes(iter(sent))
        pairs = zip(lacking, sent, strict=True)
        has |= {message.id for message, one in pairs if one.sent == "confirmed"}
        if outcome.sent == "unknown" and has:
            self._has[run.task_id] = has
        if outcome.sent == "unknown":
            self._seen["a part of a group was sent"] += 1
        return outcome
