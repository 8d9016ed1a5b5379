"""The answer of the command `beatd why`, which explains why an entry did or did not run."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

#: The causes, which programs may rely on.
Cause = Literal[
    # there is no such moment
    "unknown entry", "removed", "invalid source", "not planned", "clock change", "not started",
    "ended", "max runs", "no record", "not yet",
    # the moment was planned, and nothing was sent
    "paused", "disabled", "nobody leads", "store copied", "store away", "broker away", "missed",
    "late", "too old", "overlap", "edited", "called off", "past when added", "due", "claimed",
    "not sent", "unknown", "rejected", "skipped",
    # it was published
    "published", "waiting", "no consumer", "expired", "received", "running", "retried",
    "succeeded", "failed", "unknown task", "worker killed", "time limit", "revoked", "lost",
]  # fmt: skip
_WELL = ("succeeded", "running", "received", "not yet")
_ON_ITS_WAY = ("published", "waiting", "due", "retried", "claimed")


class Answer(Struct, frozen=True):
    """The reason why an entry did or did not run at `planned`, the answer of `beatd why`.

    `cause` is one word or two, such as "paused", and `line` a sentence. `details` are (heading,
    text) pairs, in the order from the plan to the worker.
    """

    cause: Cause
    line: str
    planned: datetime | None = None
    details: tuple[tuple[str, str], ...] = ()

    @property
    def tone(self) -> Literal["well", "on its way", "wrong"]:
        """How good the cause is, such as for its colour."""
        if self.cause in _WELL:
            return "well"
        return "on its way" if self.cause in _ON_ITS_WAY else "wrong"
