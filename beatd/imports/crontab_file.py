"""Read system crontab files for an import: those of users, /etc/crontab and cron.d files.

A shell command becomes an argument of the task `runner`. A line that only runs `celery call`
becomes the task that it calls.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import DecodeError, json

from beatd.errors import BeatError, ConfigError
from beatd.imports.celery_terms import Terms, entry_found
from beatd.imports.found_entry import FoundEntry, Read, Refused, refused

_SETTING = re.compile(r"""\s*(["']?)([A-Za-z_]\w*)\1\s*=\s*(.*?)\s*$""")
_NAME_MAX_CHARS = 100
_REFUSED = "is run by cron when the machine starts, which is not a time"


def has_user_column(path: Path) -> bool:
    """Return True if the lines of this crontab file name a user, as in /etc/crontab and cron.d
    folders."""
    return path.name == "crontab" or path.parent.name == "cron.d"


def read_crontab(path: Path, *, runner: str | None, user_column: bool | None = None) -> Read:
    """Return an entry for each line of a crontab file that runs a command.

    The entry runs the task `runner` with the command as its argument; without a `runner`, shell
    commands are refused. A line that only runs `celery call` becomes the task that it calls.
    `user_column` is True if lines name a user; None decides by the file's name. Raises BeatError if
    the file cannot be read.
    """
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError as error:
        raise BeatError(f"{path}: cannot be read: {(error.strerror or '').lower()}") from None
    system = has_user_column(path) if user_column is None else user_column
    found: list[FoundEntry] = []
    wrong: list[Refused] = []
    names: dict[str, int] = {}
    for number, line, zone in _lines(text):
        place = f"{path.name}:{number}"
        try:
            found.append(_entry(line, zone, runner=runner, system=system, names=names))
        except Exception as error:
            wrong.append(refused(place, error))
    notes = ("cron runs these lines until they are removed from its file",) if found else ()
    return Read(found, wrong, notes)


def _lines(text: str) -> Iterator[tuple[int, str, str | None]]:
    # The zone is the last CRON_TZ above the line, or None.
    zone: str | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        setting = _SETTING.match(line)
        if setting and not line.startswith(("@", "*")):
            if setting[2] == "CRON_TZ":
                zone = setting[3].strip("\"'") or None
            continue
        yield number, line, zone


def _entry(
    line: str, zone: str | None, *, runner: str | None, system: bool, names: dict[str, int]
) -> FoundEntry:
    count = 1 if line.startswith("@") else 5
    parts = line.split(None, count + system)
    if len(parts) < count + system + 1:
        raise ConfigError(f"{line[:60]!r} has no command")
    when, command = " ".join(parts[:count]), parts[-1].strip()
    if when.lower() == "@reboot":
        raise ConfigError(f"@reboot {_REFUSED}")
    notes: list[str] = []
    if system and parts[count] != "root":
        notes.append(f"cron ran it as {parts[count]}; a worker runs it as the worker's user")
    command, cut = _without_input(command)
    if cut:
        notes.append("what came after % was its input, which is not carried over")
    called = _celery_call(command)
    if called is None and runner is None:
        raise ConfigError(
            f"{command[:60]!r} is a shell command; name the task that runs commands with --task"
        )
    named = called["task"] if called else command
    name = " ".join(named.split())[:_NAME_MAX_CHARS].strip()
    names[name] = names.get(name, 0) + 1
    if names[name] > 1:
        name = f"{name} ({names[name]})"
    more: dict[str, Any] = called or {"task": runner, "args": [command]}
    return entry_found(name=name, terms=Terms({"cron": when}), tz=zone, notes=tuple(notes), **more)


def _without_input(command: str) -> tuple[str, bool]:
    # The input is the text after the first unescaped %. An escaped % loses its backslash.
    parts = re.split(r"(?<!\\)%", command, maxsplit=1)
    return parts[0].replace("\\%", "%").rstrip(), len(parts) > 1


def _celery_call(command: str) -> dict[str, Any] | None:
    # `[cd DIR &&] celery -A APP call TASK …`. None for any other command, and for an option that an
    # entry cannot have.
    try:
        words = shlex.split(command.rsplit("&&", 1)[-1], comments=False)
    except ValueError:
        return None
    before = command.rsplit("&&", 1)[0] if "&&" in command else ""
    if before and not re.fullmatch(r"\s*cd\s+\S+\s*", before):
        return None
    if "call" not in words or not words or Path(words[0]).name != "celery":
        return None
    rest = words[words.index("call") + 1 :]
    kept: dict[str, Any] = {"task": "", "options": {}}
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            # A redirection or a second command: only a shell understands the rest.
            if kept["task"] or any(c in word for c in "|;<>&"):
                return None
            kept["task"] = word
            continue
        key, equals, value = word.partition("=")
        if not equals:
            if not rest:
                return None
            value = rest.pop(0)
        if not _add_option(kept, key, value):
            return None
    return kept if kept["task"] else None


def _add_option(kept: dict[str, Any], key: str, value: str) -> bool:
    # False if the option is unknown or malformed.
    try:
        match key:
            case "-a" | "--args":
                kept["args"] = json.decode(value, type=list[Any])
            case "-k" | "--kwargs":
                kept["kwargs"] = json.decode(value, type=dict[str, Any])
            case "--queue" | "--exchange" | "--routing-key" | "--serializer":
                kept["options"][key.removeprefix("--").replace("-", "_")] = value
            case "--expires" | "--countdown":
                kept["options"][key.removeprefix("--")] = float(value)
            case _:
                return False
    except (ValueError, DecodeError):
        return False
    return True
