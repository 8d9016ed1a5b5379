"""Find the entry files that a configuration names as files, folders and globs."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from glob import glob, has_magic
from pathlib import Path

SUFFIXES = (".yaml", ".yml")
_NO_FILES = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
# `beatd apply <(make-entries)` and `beatd check /dev/stdin` are pipes, and are read all the same.
_PIPES_OF_A_SHELL = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")


def find_files(
    places: Iterable[str], folder: str, *, missing_folder_warns: bool = False
) -> tuple[list[Path], list[tuple[str, str, bool]]]:
    """Return the entry files that `places` name as files, folders and globs, and the problems.

    A problem is a tuple: the place, the reason, and True if it is only a warning. Each file is
    returned once, in the order of `places`, which are relative to `folder`. Names that begin with a
    dot are left out, because editors and Kubernetes create such files. FIFOs and devices are left
    out with a problem, because reading them may never end.

    A place that does not exist is an error. If `missing_folder_warns` is True, it is only a
    warning, unless the place has the name of a YAML file. An empty folder is always only a warning.
    """
    found: dict[Path, None] = {}
    lost: list[tuple[str, str, bool]] = []
    for place in places:
        full = os.path.join(folder, place)  # noqa: PTH118  # keeps the shape that was typed
        closed: list[OSError] = []
        if os.path.isdir(full):  # noqa: PTH112
            inside = list(_inside(full, closed.append))
            lost += _left_out(inside, folder)
            if not inside and not closed:
                lost.append((place, "has no YAML file in it", True))
        elif has_magic(place):
            inside = [Path(name) for name in sorted(glob(full, recursive=True))]  # noqa: PTH207
            yaml_files = [path for path in inside if path.suffix in SUFFIXES]
            lost += _left_out(yaml_files, folder)
            inside = [path for path in inside if path.is_file()]
            _look_for_closed(full, closed.append)
            if not inside and not closed:
                lost.append((place, "matches no file", True))
        else:
            inside = [Path(full)]
            if not inside[0].exists():
                warns = missing_folder_warns and inside[0].suffix not in SUFFIXES
                lost.append((place, "does not exist; is the path right?", warns))
                inside = []
            elif kind := "" if full.startswith(_PIPES_OF_A_SHELL) else _endless_kind(inside[0]):
                lost.append((place, f"is {kind} and no file; it was left out", False))
                inside = []
        # Only a warning: the folder may not be meant for beatd, such as a disk's lost+found.
        for error in closed:
            shown = os.path.relpath(error.filename, folder)
            why = (error.strerror or str(error)).lower()
            lost.append((shown, f"cannot be read: {why}", True))
        found |= dict.fromkeys(path for path in inside if _can_be_read(path))
    return list(found), lost


def shown_path(path: Path, config: str) -> str:
    """Return the path of an entry file as every message shows it.

    It is relative to the current folder if the file is below it and `config`, the path that the
    user typed for the configuration, is relative too. Else it is the whole path.
    """
    below = os.path.relpath(path)
    typed_so = config and not os.path.isabs(config)  # noqa: PTH117
    return below if typed_so and not below.startswith("..") else str(path)


def _can_be_read(path: Path) -> bool:
    # A pipe made by a shell is read; other FIFOs, sockets and devices are not.
    return str(path).startswith(_PIPES_OF_A_SHELL) or not _endless_kind(path)


def _left_out(paths: Iterable[Path], folder: str) -> Iterator[tuple[str, str, bool]]:
    for path in paths:
        if kind := _endless_kind(path):
            yield os.path.relpath(path, folder), f"is {kind} and no file; it was left out", True


def _endless_kind(path: Path) -> str:
    """Return "a FIFO", "a socket" or "a device" if the path is one, else ""."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return ""
    return next((kind for test, kind in _NO_FILES if test(mode)), "")


def _inside(folder: str, on_error: Callable[[OSError], None]) -> Iterable[Path]:
    # Links to folders are followed; names that begin with a dot are left out. `on_error` is called
    # for each folder that cannot be listed.
    walked: set[str] = set()
    for here, folders, files in os.walk(folder, onerror=on_error, followlinks=True):
        real = os.path.realpath(here)
        if real in walked:
            folders[:] = []
            continue
        walked.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield Path(here) / name


def _look_for_closed(pattern: str, on_error: Callable[[OSError], None]) -> None:
    # `glob` itself ignores a folder that it cannot list.
    parts = Path(pattern).parts
    fixed = next(place for place, part in enumerate(parts) if has_magic(part))
    root, levels = Path(*parts[:fixed]), len(parts) - fixed - 1
    deep = "**" in parts[fixed:]
    for here, folders, _ in os.walk(root, onerror=on_error):
        if not deep and len(Path(here).relative_to(root).parts) >= levels:
            folders[:] = []
        folders[:] = [name for name in folders if not name.startswith(".")]
