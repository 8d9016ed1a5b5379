"""The errors of beatd: one class for each decision that a caller makes.

A `Problem` is one thing that is wrong in what an operator wrote.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from msgspec import Struct, structs

from beatd.secret import hidden

Path = tuple[str | int, ...]


class Problem(Struct, frozen=True):
    """One line for a person: the place, the path of the key, and what is wrong.

    `place` is file and line, "config.yaml:12".
    """

    text: str
    path: Path = ()
    place: str = ""
    warning: bool = False

    def __post_init__(self) -> None:
        structs.force_setattr(self, "place", unicode_of(self.place))
        structs.force_setattr(self, "text", hidden(self.text))

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, dotted(self.path), self.text) if part)

    def under(self, *above: str | int) -> "Problem":
        """Return the same problem with its path below further keys."""
        return Problem(self.text, (*above, *self.path), self.place, self.warning)


def dotted(path: Path) -> str:
    """Return the path as text: entries.tidy.args[0]."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            # A name with blanks or dots in it would read as something else.
            plain = key.isprintable() and not any(c in key for c in " .[]:'\"") and key != ""
            text += ("." if text else "") + (key if plain else repr(key))
    return text


def unicode_of(path: str) -> str:
    """Return the name of a file, with bytes that are no text escaped, so that it can be printed."""
    return path.encode(errors="backslashreplace").decode()


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean queue?" for a word that is like a known one, else ""."""
    near = get_close_matches(word[:60].lower(), list(known), 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""


def in_one_line(problems: Iterable[Problem]) -> str:
    """Return the first problem, and the number of further ones."""
    every = list(problems)
    more = len(every) - 1
    if more < 1:
        return str(every[0])
    return f"{every[0]} (and {more} more problem{'s' if more > 1 else ''})"


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
