"""The errors of beatd: one class for each way in which a caller reacts.

A `Problem` describes one mistake in the operator's configuration or command.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from msgspec import Struct, structs

from beatd.secret import hidden

Path = tuple[str | int, ...]


class Problem(Struct, frozen=True):
    """One mistake in the operator's input; `str` returns it as one line for a person.

    `path` holds the keys that lead to the wrong value, `place` the file and line, such as
    "config.yaml:12". `warning` is True if the input can be used all the same.
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
        """Return the same problem with the keys `above` put in front of its path."""
        return Problem(self.text, (*above, *self.path), self.place, self.warning)


def dotted(path: Path) -> str:
    """Return a path of keys and indexes as text, such as `entries.tidy.args[0]`."""
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
    """Return `path` with every byte that is not valid text escaped, so that it can be printed."""
    return path.encode(errors="backslashreplace").decode()


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean queue?" with the most similar known word, or "" if none is similar."""
    near = get_close_matches(word[:60].lower(), list(known), 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""


def in_one_line(problems: Iterable[Problem]) -> str:
    """Return the first problem and the number of further problems as one line of text.

    `problems` must not be empty.
    """
    every = list(problems)
    more = len(every) - 1
    if more < 1:
        return str(every[0])
    return f"{every[0]} (and {more} more problem{'s' if more > 1 else ''})"


class BeatError(Exception):
    """The base class of all errors that beatd raises on purpose.

    Its text is one line that tells a person what to do; known passwords in it are hidden.
    """

    def __str__(self) -> str:
        return hidden(super().__str__())


class ConfigError(BeatError, ValueError):
    """Raised when a configuration, entry or command is invalid; nothing was changed.

    `problems` holds every mistake that was found; the text is the first one.
    """

    def __init__(self, text: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(text)
        self.problems = tuple(problems) or (Problem(text),)


class ScheduleError(ConfigError):
    """Raised when a schedule cannot be parsed, or can never fire."""


class MissingExtra(ConfigError):
    """Raised when an optional library is missing; the text has the command that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"an extra library is needed for {what}: pip install 'beatd[{extra}]'")


class UnknownEntry(BeatError, KeyError):
    """Raised when the store has no entry with the requested name."""

    def __str__(self) -> str:
        return str(self.args[0])


class Conflict(BeatError):
    """Raised when another source owns the entry, or when the entry has changed since it was
    read."""


class Stale(Conflict):
    """Raised when the entry has another revision than the one that the caller read."""


class StoreError(BeatError):
    """Raised when the store cannot be reached or does not answer; a retry may succeed."""


class StoreEmptied(StoreError):
    """Raised once when the store has lost all data that it had confirmed.

    The next call uses the store as it is now.
    """


class StoreUnusable(StoreError):
    """Raised when the store answers but cannot be used, so that a retry will not help.

    Examples are a wrong schema, a wrong password and a read-only server.
    """


class Deposed(BeatError):
    """Raised when this daemon no longer leads: the ledger has a newer term (fencing number of a
    leader)."""
