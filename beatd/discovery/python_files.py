"""Read the Python files of a project, without the libraries and tests beside them."""

import ast
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

FILES_MAX = 5_000
FILE_MAX_BYTES = 1_000_000
LEFT_OUT = {
    *("node_modules", "site-packages", "__pycache__", "venv", "env", "build", "dist"),
    *("tests", "test", "docs", "migrations"),
}


class PythonFile(Struct, frozen=True):
    """One file: its path below the folder, its text, and its parsed statements."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The dotted name under which the file is imported from the folder."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def python_files(folder: Path) -> Iterator[PythonFile]:
    """Yield the readable Python files below a folder, the uppermost first."""
    left = FILES_MAX
    for path in _paths(folder):
        left -= 1
        if left < 0:
            return
        try:
            if path.stat().st_size > FILE_MAX_BYTES or not path.is_file():
                continue
            text = path.read_text(encoding="utf-8")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of an invalid escape in somebody's file
                tree = ast.parse(text)
        except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        yield PythonFile(path.relative_to(folder), text, tree)


def _paths(folder: Path) -> Iterator[Path]:
    level = [folder]
    while level:
        below: list[Path] = []
        for place in level:
            try:
                found = sorted(os.scandir(place), key=lambda one: one.name)
            except OSError:
                continue
            for one in found:
                if one.name.startswith("."):
                    continue
                if one.is_dir(follow_symlinks=False):
                    if one.name not in LEFT_OUT and not _is_environment(Path(one.path)):
                        below.append(Path(one.path))
                elif one.name.endswith(".py") and not one.name.startswith("test_"):
                    yield Path(one.path)
        level = below


def _is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").exists()
