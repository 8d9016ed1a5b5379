"""Runs to publish, made without a store."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from beatd.entry import Entry
from beatd.run import Occurrence, Run

MOMENT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_revisions = count(1)


class Never:
    """A schedule that is not asked."""

    period = None

    def next_after(self, moment: datetime) -> datetime | None:
        return None

    def plain(self) -> dict[str, Any]:
        return {}


def entry(name: str, task: str, *args: Any, **more: Any) -> Entry:
    return Entry(name=name, task=task, schedule=Never(), args=args, **more)


def run(entry: Entry, *, nth: int = 0, revision: int = 1, **more: Any) -> Run:
    planned = MOMENT + timedelta(minutes=nth)
    return Run(Occurrence(entry.name, planned), str(uuid4()), entry, revision, planned, **more)


def always() -> bool:
    return True
