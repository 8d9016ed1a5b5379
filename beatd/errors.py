"""What can go wrong, one leaf for each decision a caller makes."""

from collections.abc import Sequence

from beatd.problem import Problem
from beatd.secret import hidden


class BeatError(Exception):
    """Everything beatd raises on purpose; its text is one line a person can act on, and shows no
    password that this process knows."""

    def __str__(self) -> str:
        return hidden(super().__str__())


class ConfigError(BeatError, ValueError):
    """Something the operator wrote cannot be used; nothing was changed.

    `problems` holds all of them where more than one can be told; the text is the first.
    """

    def __init__(self, text: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(text)
        self.problems = tuple(problems) or (Problem(text),)


class ScheduleError(ConfigError):
    """A schedule that cannot be understood, or that can never fire."""


class MissingExtra(ConfigError):
    """A library is needed that is not installed; the text holds the line that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"an extra library is needed for {what}: pip install 'beatd[{extra}]'")


class UnknownEntry(BeatError, KeyError):
    """No entry of that name is in the store."""

    def __str__(self) -> str:
        return str(self.args[0])


class Conflict(BeatError):
    """The name is held by another source, or the entry changed in between."""


class StoreError(BeatError):
    """The store could not be reached or would not answer; trying again may help."""


class StoreEmptied(StoreError):
    """The store lost all that it had acknowledged. Raised once; then the store is used as it is."""


class StoreUnusable(StoreError):
    """The store answers, but waiting will not help: wrong schema, wrong password, read-only."""


class Deposed(BeatError):
    """The ledger knows a newer term; whoever asked must stop leading."""
