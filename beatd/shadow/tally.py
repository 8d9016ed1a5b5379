"""What beatd would have sent beside what another scheduler sent: pairs, and what is left over.

Both sides come as (key, moment), where the key is what a message shows of its entry: task, args and
kwargs. A plan and a message are a pair when nothing else is nearer; a moment is settled when no
nearer one can come any more.
"""

from collections import defaultdict, deque
from typing import Any

from msgspec import Struct, field

from beatd.run import moment_of

Key = tuple[str, str, str]
ON_TIME = 2.0  # seconds; celery beat is up to one late
PATIENCE = 60.0
KEPT = 5


class Plan(Struct):
    name: str
    moment: float
    window: float
    pair: float | None = None


class Figures(Struct):
    """Of one entry. `other_time` is paired too, further apart than is on time."""

    agreed: int = 0
    other_time: int = 0
    missed: int = 0
    doubled: int = 0
    unplanned: int = 0
    apart: float = 0.0  # seconds, of the last pair
    examples: list[str] = field(default_factory=list)

    def tell(self, line: str) -> None:
        self.examples = [*self.examples, line][-KEPT:]


class Tally:
    """Not thread-safe; moments are seconds since 1970."""

    def __init__(self, since: float, figures: dict[str, Figures] | None = None) -> None:
        self.figures: dict[str, Figures] = defaultdict(Figures, figures or {})
        self._since = since
        self._plans: dict[Key, deque[Plan]] = defaultdict(deque)
        self._seen: dict[Key, deque[float]] = defaultdict(deque)
        self._names: dict[Key, str] = {}
        self._settled: dict[Key, deque[Plan]] = defaultdict(lambda: deque(maxlen=50))
        self._windows: dict[Key, float] = {}

    def plan(self, key: Key, name: str, moment: float, period: float | None) -> None:
        """`period` is that of an interval, whose phase is the scheduler's own: it may be met
        anywhere within half of it."""
        window = max(ON_TIME, period / 2) if period is not None else PATIENCE
        self._names[key] = name
        self._windows[key] = window
        self._plans[key].append(Plan(name, moment, window))

    def know(self, key: Key, name: str) -> None:
        """An entry that may not have been planned yet, so that its messages are not strangers'."""
        self._names.setdefault(key, name)

    def see(self, key: Key, moment: float) -> None:
        """A message that was sent; those of tasks that no entry sends are left out."""
        if key in self._names:
            self._seen[key].append(moment)

    def deaf(self, now: float) -> None:
        """Nothing was heard until now: what is open cannot be judged any more."""
        self._plans.clear()
        self._seen.clear()
        self._settled.clear()
        self._since = now

    def settle(self, now: float) -> None:
        for key, plans in self._plans.items():
            while plans and now - plans[0].moment > 2 * plans[0].window + ON_TIME:
                self._settle_plan(key, plans.popleft(), plans[0] if plans else None)
        for key, seen in self._seen.items():
            patience = 4 * self._windows.get(key, PATIENCE)
            while seen and now - seen[0] > patience + ON_TIME:
                self._left_over(key, seen.popleft())

    def _settle_plan(self, key: Key, plan: Plan, following: Plan | None) -> None:
        figures = self.figures[plan.name]
        near = [
            moment
            for moment in self._seen[key]
            if abs(moment - plan.moment) <= plan.window
            and (following is None or abs(moment - plan.moment) <= abs(moment - following.moment))
        ]
        self._settled[key].append(plan)
        if not near:
            if plan.moment - plan.window >= self._since:
                figures.missed += 1
                figures.tell(f"missed {iso(plan.moment)}")
            return
        plan.pair = min(near, key=lambda moment: abs(moment - plan.moment))
        self._seen[key].remove(plan.pair)
        figures.apart = round(plan.pair - plan.moment, 3)
        if abs(figures.apart) <= ON_TIME:
            figures.agreed += 1
        else:
            figures.other_time += 1
            figures.tell(f"planned {iso(plan.moment)}, sent {iso(plan.pair)}")

    def _left_over(self, key: Key, moment: float) -> None:
        name = self._names[key]
        figures = self.figures[name]
        if any(
            plan.pair is not None and abs(plan.pair - moment) <= ON_TIME
            for plan in self._settled[key]
        ):
            figures.doubled += 1
            figures.tell(f"doubled {iso(moment)}")
        elif moment - 2 * self._windows.get(key, PATIENCE) >= self._since:
            figures.unplanned += 1
            figures.tell(f"not planned {iso(moment)}")

    def totals(self) -> dict[str, int]:
        keys = ("agreed", "other_time", "missed", "doubled", "unplanned")
        return {key: sum(getattr(f, key) for f in self.figures.values()) for key in keys}


def iso(moment: float) -> str:
    return moment_of(int(moment * 1_000_000)).isoformat(timespec="milliseconds")


def norm(args: Any) -> str:
    """A repr of positional arguments, whether it was a list or a tuple."""
    text = str(args or "").strip()
    if text in ("None", "", "()", "[]"):
        return ""
    return text[1:-1].strip().rstrip(",") if text[0] in "([" else text
