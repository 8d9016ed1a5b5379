"""A problem in something that an operator wrote, and its place."""

from collections.abc import Iterable
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
