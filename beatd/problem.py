"""What is wrong with something an operator wrote, and where."""

from collections.abc import Iterable
from difflib import get_close_matches

from msgspec import Struct, structs

from beatd.secret import hidden

Path = tuple[str | int, ...]


class Problem(Struct, frozen=True):
    """One line for a person: the place, the key's path, what came and what would do."""

    text: str
    path: Path = ()
    place: str = ""  # "config.yaml:12"
    warning: bool = False

    def __post_init__(self) -> None:
        structs.force_setattr(self, "place", unicode_of(self.place))
        structs.force_setattr(self, "text", hidden(self.text))

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, dotted(self.path), self.text) if part)

    def under(self, *above: str | int) -> "Problem":
        """The same problem, seen from further up."""
        return Problem(self.text, (*above, *self.path), self.place, self.warning)


def dotted(path: Path) -> str:
    """entries.tidy.args[0]"""
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
    """The name of a file, which may hold bytes that are no text, as all may print and encode it."""
    return path.encode(errors="backslashreplace").decode()


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean queue?`, or nothing."""
    near = get_close_matches(word[:60].lower(), list(known), 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""


def in_one_line(problems: Iterable[Problem]) -> str:
    """The first of them, and how many there are."""
    every = list(problems)
    more = len(every) - 1
    if more < 1:
        return str(every[0])
    return f"{every[0]} (and {more} more problem{'s' if more > 1 else ''})"
