"""What the truth keeps of entries, claims, messages and requests."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from beatd import planning
from beatd.catalog import Stored
from beatd.entry import Entry
from beatd.ledger import Request
from beatd.run import Run
from tests.simulation.world import Process

PUBLISH_TIMEOUT = 5.0
JUST_EDITED_S = 2.0
FILES = "yaml:files"  # the owner of what is declared
Key = tuple[str, int, datetime, str]  # name, its generation, the planned moment, the request


@dataclass
class Stretch:
    """An entry between two plannings: it owes every moment from the first up to where it got."""

    entry: Entry
    first: datetime
    is_old: bool = False  # by the rules of the older program
    until: datetime | None = None
    last: datetime | None = None  # of a plan that `max_runs` ended: its newest run

    def end(self, row: Stored) -> None:
        self.until = row.plan.planned
        if self.until is None and row.entry.max_runs is not None:
            self.last = row.last or self.first


@dataclass
class Known:
    """What the operators were told last of an entry."""

    entry: Entry
    paused: bool
    generation: int
    stretch: Stretch | None = None
    counted: int = 0
    edited_at: float = float("-inf")


@dataclass
class Sending:
    """A claim that is open: who made it, and when in true time."""

    process: Process
    at: float
    publishes_since: float = float("-inf")


@dataclass
class Arrival:
    run: Run
    process: Process
    key: Key
    at_once: bool


@dataclass
class Backfill:
    """What was asked for, as long as nobody edits when the entry runs."""

    entry: Entry
    request: Request

    def moments(self) -> Iterator[datetime]:
        moment: datetime | None = self.request.first
        while moment is not None and moment <= self.request.last:
            yield moment
            moment = planning.next_moment(self.entry, moment)
