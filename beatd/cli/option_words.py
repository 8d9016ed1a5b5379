"""Write the problems of an entry in terms of command-line options, not of YAML."""

import re

from msgspec import structs

from beatd.cli.entry_options import MESSAGE_OPTIONS
from beatd.cli.schedule_options import KINDS
from beatd.entry import CANVASES, Entry
from beatd.errors import Problem

_KEYS = {*KINDS, "phase", "spread", *(field.name for field in structs.fields(Entry))}
#: Texts in quotes, which stay; then mappings like {event: sunset, lat: 31.2}; then keys like every:
_YAML = re.compile(
    r"""(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"|\{(?P<pairs>\w+: [^{}]+)\}"
    rf"|\b(?P<key>{'|'.join(sorted(_KEYS, key=len, reverse=True))}):(?=\s|$)"
)


def as_option(problem: Problem) -> Problem:
    """Return the problem with the option's name in place of the YAML key, also in its text.

    For example, --priority replaces options.priority.
    """
    path = problem.path
    if len(path) > 1 and path[0] == "options" and path[1] in MESSAGE_OPTIONS:
        path = path[1:]
    elif path[:2] == ("options", "headers"):
        path = ("header", *path[2:])
    elif path[:1] == ("options",):
        path = ("option", *path[1:])
    if path and path[0] in CANVASES:
        # Its steps are written with the keys of YAML.
        return structs.replace(problem, path=(_option(str(path[0])), *path[1:]))
    text = problem.text
    if path:
        text = text.removeprefix(f"{path[0]} ")  # the option is named before the text
        path = (_option(str(path[0])), *path[1:])
    return Problem(in_option_words(text), path, problem.place, problem.warning)


def in_option_words(text: str) -> str:
    """Return the text with options in place of YAML, such as "--every 5m" for "every: 5m".

    A mapping like {event: sunset, lat: 31.2} becomes event=sunset lat=31.2. What is in quotes
    stays.
    """
    return _YAML.sub(_replaced, text)


def _replaced(found: "re.Match[str]") -> str:
    if found["quoted"]:
        return found["quoted"]
    if found["pairs"]:
        return found["pairs"].replace(": ", "=").replace(", ", " ")
    return _option(found["key"])


def _option(key: str) -> str:
    return f"--{key}".replace("_", "-")
