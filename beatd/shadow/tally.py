"""Match the runs that beatd planned with the messages that another scheduler sent.

A plan and a message form a pair if they have the same key (task, args and kwargs as text) and are
nearest to each other in time. Both are counted once no nearer partner can follow.
"""

from collections import defaultdict, deque
from typing import Any

from msgspec import Struct, field

from beatd.run import moment_of

Key = tuple[str, str, str]
ON_TIME_S = 2.0  # between the two of a pair that agrees; celery beat is up to a second late
WINDOW_S = 60.0  # around a plan that is no interval, in which its message is looked for
EXAMPLES_MAX = 5  # of each entry
SETTLED_PLANS_KEPT = 50  # of each key, to tell a doubled message from one without a plan


class Plan(Struct):
    """A run that beatd planned, to be compared with another scheduler's messages.

    `name` is the entry's name, and `moment` the planned time in seconds since 1970.
    """

    name: str
    moment: float
    window_s: float  # around the moment, in which its message is looked for
    pair: float | None = None  # the moment of its message


class Figures(Struct):
    """The counts for one entry: how well its planned runs match another scheduler's messages.

    `agreed` counts pairs at most ON_TIME_S apart, `other_time` all other pairs. `missed` counts
    plans without a message. `doubled` counts second messages for a plan, `unplanned` other messages
    without a plan. `apart` is how many seconds the message of the last pair came after its plan.
    `examples` has a line of text for each of the last differences.
    """

    agreed: int = 0
    other_time: int = 0
    missed: int = 0
    doubled: int = 0
    unplanned: int = 0
    apart: float = 0.0  # seconds, of the last pair
    examples: list[str] = field(default_factory=list)

    def add_example(self, line: str) -> None:
        """Add a line of text about a difference to `examples`, of which the last EXAMPLES_MAX are
        kept."""
        self.examples = [*self.examples, line][-EXAMPLES_MAX:]


class Tally:
    """Compares the runs that beatd planned with the messages that another scheduler sent.

    All times are seconds since 1970; messages before `since` were not received. `figures` has the
    counts by entry. Not thread-safe.
    """

    def __init__(self, since: float, figures: dict[str, Figures] | None = None) -> None:
        self.figures: dict[str, Figures] = defaultdict(Figures, figures or {})
        self._since = since
        self._plans: dict[Key, deque[Plan]] = defaultdict(deque)
        self._seen: dict[Key, deque[float]] = defaultdict(deque)
        self._names: dict[Key, str] = {}
        self._settled: dict[Key, deque[Plan]] = defaultdict(
            lambda: deque(maxlen=SETTLED_PLANS_KEPT)
        )
        self._windows: dict[Key, float] = {}

    def add_plan(self, key: Key, name: str, moment: float, period: float | None) -> None:
        """Add a run of the entry `name` that beatd planned for the time `moment`.

        `period` is the interval of the entry in seconds, or None. A message up to half a period
        before or after `moment` matches, because two schedulers may count intervals from different
        starts.
        """
        window = max(ON_TIME_S, period / 2) if period is not None else WINDOW_S
        self._names[key] = name
        self._windows[key] = window
        self._plans[key].append(Plan(name, moment, window))

    def add_name(self, key: Key, name: str) -> None:
        """Register the task and arguments in `key` as those of the entry `name`, so that messages
        count.

        If an earlier entry has the same task and arguments, they count for that one.
        """
        self._names.setdefault(key, name)

    def add_message(self, key: Key, moment: float) -> None:
        """Add a message of the other scheduler, unless no entry has its task and arguments."""
        if key in self._names:
            self._seen[key].append(moment)

    def start_over(self, now: float) -> None:
        """Discard all plans and messages that are not counted yet, and begin again at `now`.

        No plan before `now` will count as missed, because its message may have been lost.
        """
        self._plans.clear()
        self._seen.clear()
        self._settled.clear()
        self._since = now

    def settle(self, now: float) -> None:
        """Count those runs and messages that are too old to match anything that may still come."""
        for key, plans in self._plans.items():
            while plans and now - plans[0].moment > 2 * plans[0].window_s + ON_TIME_S:
                self._settle_plan(key, plans.popleft(), plans[0] if plans else None)
        for key, seen in self._seen.items():
            window_s = 4 * self._windows.get(key, WINDOW_S)
            while seen and now - seen[0] > window_s + ON_TIME_S:
                self._left_over(key, seen.popleft())

    def _settle_plan(self, key: Key, plan: Plan, following: Plan | None) -> None:
        figures = self.figures[plan.name]
        near = [
            moment
            for moment in self._seen[key]
            if abs(moment - plan.moment) <= plan.window_s
            and (following is None or abs(moment - plan.moment) <= abs(moment - following.moment))
        ]
        self._settled[key].append(plan)
        if not near:
            if plan.moment - plan.window_s >= self._since:
                figures.missed += 1
                figures.add_example(f"missed {iso(plan.moment)}")
            return
        plan.pair = min(near, key=lambda moment: abs(moment - plan.moment))
        self._seen[key].remove(plan.pair)
        figures.apart = round(plan.pair - plan.moment, 3)
        if abs(figures.apart) <= ON_TIME_S:
            figures.agreed += 1
        else:
            figures.other_time += 1
            figures.add_example(f"planned {iso(plan.moment)}, sent {iso(plan.pair)}")

    def _left_over(self, key: Key, moment: float) -> None:
        name = self._names[key]
        figures = self.figures[name]
        if any(
            plan.pair is not None and abs(plan.pair - moment) <= ON_TIME_S
            for plan in self._settled[key]
        ):
            figures.doubled += 1
            figures.add_example(f"doubled {iso(moment)}")
        elif moment - 2 * self._windows.get(key, WINDOW_S) >= self._since:
            figures.unplanned += 1
            figures.add_example(f"not planned {iso(moment)}")

    def totals(self) -> dict[str, int]:
        """Return each count summed over all entries, such as {"agreed": 10, "missed": 1, …}."""
        keys = ("agreed", "other_time", "missed", "doubled", "unplanned")
        return {key: sum(getattr(f, key) for f in self.figures.values()) for key in keys}


def iso(moment: float) -> str:
    """Convert seconds since 1970 to ISO text with milliseconds."""
    return moment_of(int(moment * 1_000_000)).isoformat(timespec="milliseconds")


def args_text(args: Any) -> str:
    """Format positional arguments without brackets, such as "1, 2" for "[1, 2]" or "(1, 2)"."""
    text = str(args or "").strip()
    if text in ("None", "", "()", "[]"):
        return ""
    return text[1:-1].strip().rstrip(",") if text[0] in "([" else text
