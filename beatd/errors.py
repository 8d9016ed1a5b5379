"""The errors of beatd: one class for each way in which a caller reacts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from difflib import get_close_matches

from msgspec import Struct, structs

from beatd.secret import hidden

Path = tuple[str | int, ...]
KEY_MAX_CHARS = 250  # of a key in an error; a name of an entry is at most as long


class Problem(Struct, frozen=True):
    """A mistake in the configuration or in a command; `str` returns it as one line of text.

    `path` has the keys that lead to the wrong value, and `place` the file and line, such as
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
        path = tuple(_shortened(key) for key in self.path)
        return ": ".join(part for part in (self.place, dotted(path), self.text) if part)

    def without_line(self) -> "Problem":
        """Return the same problem without the number of its line, which other edits change."""
        file, _, line = self.place.rpartition(":")
        return structs.replace(self, place=file) if line.isdigit() else self

    def under(self, *above: str | int) -> "Problem":
        """Return the same problem with the keys `above` in front of its path."""
        return Problem(self.text, (*above, *self.path), self.place, self.warning)


def dotted(path: Path) -> str:
    """Return a path of keys and indexes as text: `entries.tidy.args[0]`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            # A name with blanks or dots in it would read as something else.
            plain = key.isprintable() and not any(c in key for c in " .[]:'\"") and key != ""
            text += ("." if text else "") + (key if plain else repr(key))
    return text


def _shortened(key: str | int) -> str | int:
    is_long = isinstance(key, str) and len(key) > KEY_MAX_CHARS
    return f"{str(key)[: KEY_MAX_CHARS - 1]}…" if is_long else key


def unicode_of(path: str) -> str:
    """Return `path` as printable text, with every byte that is not valid text escaped."""
    return path.encode(errors="backslashreplace").decode()


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean queue?" with the most similar known word, or "" if there is none."""
    near = get_close_matches(word[:60].lower(), list(known), 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""


def with_article(noun: str) -> str:
    """Return a noun or the name of a type with its article: "an hour", "a UUID", "an int"."""
    word = noun.lower()
    has_vowel = word.startswith(("a", "e", "i", "o", "un", "hour")) and not word.startswith("uni")
    return f"{'an' if has_vowel else 'a'} {noun}"


def in_one_line(problems: Iterable[Problem]) -> str:
    """Return the first problem as one line of text, with the number of further problems.

    `problems` must not be empty.
    """
    every = list(problems)
    more = len(every) - 1
    if more < 1:
        return str(every[0])
    return f"{every[0]} (and {more} more problem{'s' if more > 1 else ''})"


def waiting_for_store(reason: str) -> str:
    """Return "waiting for the store: REASON", without the word "store" with which many reasons
    begin."""
    return f"waiting for the store: {reason.removeprefix('store: ').removeprefix('store ')}"


class BeatError(Exception):
    """The base class of all errors that beatd raises on purpose.

    Its text is one line that tells a person what to do; known passwords in it are hidden.
    """

    def __str__(self) -> str:
        return hidden(super().__str__())


class ConfigError(BeatError, ValueError):
    """Raised if a configuration, entry or command is invalid; nothing was changed.

    `problems` has every mistake that was found; the text is the first one.
    """

    def __init__(self, text: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(text)
        self.problems = tuple(problems) or (Problem(text),)


class ScheduleError(ConfigError):
    """Raised if a schedule cannot be parsed or can never run."""


class MissingExtra(ConfigError):
    """Raised if an optional library is missing; the text has the command that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"an extra library is needed for {what}: pip install 'beatd[{extra}]'")


class UnknownEntry(BeatError, KeyError):
    """Raised if the store has no entry with the requested name.

    `name` is that name, or "" if it is not known here.
    """

    def __init__(self, text: str, name: str = "") -> None:
        super().__init__(text)
        self.name = name

    def __str__(self) -> str:
        return str(self.args[0])


class Conflict(BeatError):
    """Raised if another source owns the entry, or if somebody else has changed it meanwhile."""


class Stale(Conflict):
    """Raised when the entry has another revision than the one that the caller read."""


class StoreError(BeatError):
    """Raised if the store cannot be reached or does not answer; a retry may succeed."""


class StoreEmptied(StoreError):
    """Raised once if the store has lost all the data that it had saved.

    The next call uses the store as it is now.
    """


class StoreUnusable(StoreError):
    """Raised if the store answers but cannot be used, so that a retry will not help.

    Examples are a wrong schema, a wrong password and a read-only server.
    """


class ProgramTooOld(StoreUnusable):
    """Raised if the store serves only newer programs; a daemon of this version must not lead."""


class StoreAbsent(StoreUnusable):
    """Raised if the store does not exist yet and the caller must not create it.

    `lack` says what is missing at `where`.
    """

    def __init__(self, where: str, lack: str) -> None:
        super().__init__(
            f"{where}: {lack}; `beatd run`, `beatd add`, `beatd apply` or `beatd import` creates it"
        )


class StoreCopied(StoreUnusable, ConfigError):
    """Raised by a daemon if everything in its store was copied to another store, to be used there.

    `place` is the URL of the other store without its password, and `at` the end of the copying, in
    the zone that the text has.
    """

    def __init__(self, place: str, at: datetime) -> None:
        super().__init__(
            f"this store was copied to {place} at {at:%Y-%m-%d %H:%M:%S %Z}, and a daemon here "
            f"would run each entry a second time; start beatd with {place} as its store, or run "
            "`beatd store reopen` to go on with this one"
        )


class Deposed(BeatError):
    """Raised if this daemon is no longer the leader, so that the store refuses its writes."""
