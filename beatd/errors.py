"""The errors of beatd: one class for each decision that a caller makes."""

from collections.abc import Sequence

from beatd.problem import Problem
from beatd.secret import hidden


class BeatError(Exception):
    """The root of all errors that beatd raises on purpose.

    Its text is one line that a person can act on, without any password that this process knows.
    """

    def __str__(self) -> str:
        return hidden(super().__str__())


class ConfigError(BeatError, ValueError):
    """Something that the operator wrote cannot be used; nothing was changed.

    `problems` holds every problem, if there can be several; the text is the first.
    """

    def __init__(self, text: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(text)
        self.problems = tuple(problems) or (Problem(text),)


class ScheduleError(ConfigError):
    """A schedule cannot be understood, or can never fire."""


class MissingExtra(ConfigError):
    """A library is needed that is not installed; the text has the line that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"an extra library is needed for {what}: pip install 'beatd[{extra}]'")


class UnknownEntry(BeatError, KeyError):
    """The store has no entry of that name."""

    def __str__(self) -> str:
        return str(self.args[0])


class Conflict(BeatError):
    """Another source owns the name, or the entry was changed meanwhile."""


class StoreError(BeatError):
    """The store could not be reached or did not answer; trying again may help."""


class StoreEmptied(StoreError):
    """The store lost everything that it had confirmed. Raised once; then the store is used as it
    is."""


class StoreUnusable(StoreError):
    """The store answers, but waiting will not help: wrong schema, wrong password, read-only."""


class Deposed(BeatError):
    """The ledger has a newer term, so the caller must stop leading."""
