"""Plain data that knows the lines it was written on."""

from typing import Any

from beatd.definition.arguments import is_tagged
from beatd.problem import Path


class Word(str):
    """A plain scalar that YAML 1.1 reads as a number or a flag, and beatd, as YAML 1.2, as text."""

    __slots__ = ()


class Map(dict[str, Any]):
    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class List(list[Any]):
    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def line_of(tree: Any, path: Path) -> int:
    """The line of the deepest part of the path that was written."""
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
    """Where in it the two versions of YAML differ."""
    if isinstance(tree, Word):
        return [(path, tree)]
    if is_tagged(tree):
        return []  # its type decides what the text is
    if isinstance(tree, dict):
        return [found for key, item in tree.items() for found in words(item, (*path, key))]
    if isinstance(tree, list):
        return [found for at, item in enumerate(tree) for found in words(item, (*path, at))]
    return []
