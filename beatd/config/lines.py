"""Plain data of YAML that remembers the line of each value."""

from typing import Any

from beatd.definition.arguments import is_tagged
from beatd.errors import Path


class Word(str):
    """Text without quotes that only YAML 1.1 reads as a number or a flag; beatd reads YAML 1.2."""

    __slots__ = ()


class Map(dict[str, Any]):
    """A dict with the line where it begins, and in `lines` the line of each key."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class List(list[Any]):
    """A list with the line where it begins, and in `lines` the line of each item."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def line_of(tree: Any, path: Path) -> int:
    """Return the line of a path in the tree; of its deepest existing part if it is not there."""
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
    """Return the path and text of each value that YAML 1.1 and 1.2 read differently."""
    if isinstance(tree, Word):
        return [(path, tree)]
    if is_tagged(tree):
        return []  # its type decides what the text is
    if isinstance(tree, dict):
        return [found for key, item in tree.items() for found in words(item, (*path, key))]
    if isinstance(tree, list):
        return [found for at, item in enumerate(tree) for found in words(item, (*path, at))]
    return []
