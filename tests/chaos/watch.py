"""The messages that the consumer has written down so far, and whether all entries run on time."""

import time
from collections.abc import Callable, Sequence
from typing import IO

from msgspec import json

from tests.chaos.arrivals import Arrival
from tests.chaos.entries import Rule

ON_TIME_S = 0.5  # that a message may be late, while nothing is broken, on a busy machine
STEADY_S = 2.0  # that all entries must be on time before anything else is broken
LOOK_AGAIN_S = 0.05


class Watch:
    def __init__(self, lines: IO[bytes], rules: Sequence[Rule]) -> None:
        self.all = list[Arrival]()
        self._rules = rules
        self._lines = lines
        self._begun = b""  # of a line whose end is not written yet
        self._newest = dict.fromkeys((rule.entry for rule in rules), 0.0)

    def read(self) -> None:
        *lines, self._begun = (self._begun + self._lines.read()).split(b"\n")
        for line in lines:
            one = json.decode(line, type=Arrival)
            self.all.append(one)
            planned = one.planned.timestamp()
            self._newest[one.entry] = max(planned, self._newest[one.entry])

    def on_time_within(self, seconds: float, meanwhile: Callable[[], None]) -> float | None:
        """Return since when all entries have been on time; None when they are not, in that time."""
        deadline, since = time.time() + seconds, None
        while (now := time.time()) < deadline:
            self.read()
            meanwhile()
            if any(now - self._newest[one.entry] > one.period_s + ON_TIME_S for one in self._rules):
                since = None
            elif since is None:
                since = now
            elif now - since >= STEADY_S:
                return since
            time.sleep(LOOK_AGAIN_S)
        return None
