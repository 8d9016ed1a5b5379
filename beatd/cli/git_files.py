"""Read YAML files from a revision of a git repository, as `git show REV:PATH` names them."""

import subprocess
from pathlib import Path

import click

from beatd.config.entry_paths import SUFFIXES


def write_revision(text: str, folder: Path) -> str:
    """Write the YAML files that REV:PATH names into `folder`, and return where they are from.

    PATH is a file or a folder, from the root of the repository or, with "./", from the current
    folder. The result is the text in front of each file's name in messages, such as
    "main:schedules/". Raises click.UsageError if git does not have the files.
    """
    revision, _, path = text.partition(":")
    if "\n" in text:
        raise click.UsageError(f"{text!r} is no REV:PATH, because of its line break")
    found = _asked(text)
    if found is None:
        raise click.UsageError(_missing(text, revision, path))
    kind, content = found
    if kind == "blob":
        name = Path(path).name
        (folder / name).write_bytes(content)
        return text.removesuffix(name)
    if kind != "tree":
        raise click.UsageError(f"{text} is a {kind} of git; name a file or a folder, REV:PATH")
    inside = text if text.endswith((":", "/")) else f"{text}/"
    names = _names(text)
    if not names:
        raise click.UsageError(f"{text} has no YAML file in it; /dev/null stands for no entries")
    for name in names:
        file = _asked(f"{inside}{name}")
        if file is not None and file[0] == "blob":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(file[1])
    return inside


def _names(tree: str) -> list[str]:
    """Return the paths of the YAML files below a folder of a revision."""
    listed = _git(
        "ls-tree", "--full-tree", "-r", "-z", "--name-only", "--end-of-options", tree
    ).stdout
    names = listed.decode(errors="surrogateescape").split("\0")
    return [name for name in names if name.endswith(SUFFIXES) and "\n" not in name]


def _asked(text: str) -> tuple[str, bytes] | None:
    """Return the kind and the content of what git has as `text`, or None if it has nothing.

    Links inside the revision are followed.
    """
    done = _git("cat-file", "--batch", "--follow-symlinks", given=text)
    head, _, rest = done.stdout.partition(b"\n")
    words = head.split()
    if done.returncode or len(words) != 3 or not words[2].isdigit():
        return None
    return words[1].decode(), rest[: int(words[2])]


def _missing(text: str, revision: str, path: str) -> str:
    here = _git("rev-parse", "--git-dir")
    if here.returncode:
        return f"{text!r} is neither a file nor a folder here, and this is no git repository"
    if _asked(f"{revision}^{{commit}}") is None:
        return (
            f"{text!r} is no file or folder, and git has no revision {revision!r} here; in CI, "
            "fetch it first: git fetch origin main"
        )
    return (
        f"git has no {path!r} in {revision}; PATH begins at the root of the repository, or with "
        "./ in this folder; /dev/null stands for no entries"
    )


def _git(*words: str, given: str = "") -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            ["git", *words],
            input=f"{given}\n".encode(errors="surrogateescape"),
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise click.UsageError(
            "REV:PATH needs git, and there is no program `git` in PATH; install it"
        ) from None
