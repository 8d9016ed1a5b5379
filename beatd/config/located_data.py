"""The data of a YAML file as dicts and lists that know the line of each value."""

from typing import Any

from beatd.definition.arguments import is_tagged
from beatd.errors import Path


class Word(str):
    """An unquoted YAML text, such as `yes` or `012`, that older parsers do not read as text.

    YAML 1.1 reads it as a number or a flag; beatd reads it as text, like YAML 1.2. The function
    `words` finds such values, to warn the user.
    """

    __slots__ = ()


class Map(dict[str, Any]):
    """A dict from YAML, with its first line in `line` and the line of each key in `lines`."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class List(list[Any]):
    """A list from YAML, with its first line in `line` and the line of each item in `lines`."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def line_of(tree: Any, path: Path) -> int:
    """Return the line of the value at `path`, a tuple of keys and list positions.

    If the tree does not have the whole path, it is the line of the deepest part that exists.
    """
    line = tree.line if isinstance(tree, Map | List) else 1
    for key in path:
        if isinstance(tree, Map) and key in tree.lines:
            line = tree.lines[str(key)]
            tree = tree.get(str(key))
        elif isinstance(tree, List) and isinstance(key, int) and key < len(tree):
            line = tree.lines[key]
            tree = tree[key]
        else:
            break
    return line


def words(tree: Any, path: Path = ()) -> list[tuple[Path, Word]]:
    """Return each text that YAML 1.1 and 1.2 read differently (a `Word`), with its path.

    `path` is the path of `tree` itself. Values with the keys `__type__` and `__value__`, such as a
    decimal, are left out.
    """
    if isinstance(tree, Word):
        return [(path, tree)]
    if is_tagged(tree):
        return []  # its type decides what the text is
    if isinstance(tree, dict):
        return [found for key, item in tree.items() for found in words(item, (*path, key))]
    if isinstance(tree, list):
        return [found for at, item in enumerate(tree) for found in words(item, (*path, at))]
    return []
