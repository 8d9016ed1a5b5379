"""Print what an edit changes in an entry, in the style of `diff`."""

from collections.abc import Mapping
from difflib import ndiff
from typing import Any

import click

from beatd.cli.colours import may_have_colours
from beatd.cli.escapes import visible
from beatd.entry import CANVASES

_STYLES = {"+": "green", "-": "red", "~": "yellow"}


def print_difference(
    name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> None:
    """Print what changed in an entry: one line if it is new or removed, else the changed lines.

    `before` and `after` are the entry's fields as in YAML, or None if the entry does not exist.
    """
    lines = []
    if before is None and after is not None:
        lines.append(("+", f"{name}: {_brief(after)}"))
    elif after is None and before is not None:
        lines.append(("-", f"{name}: {_brief(before)}"))
    elif before is not None and after is not None:
        lines.append(("~", name))
        old, new = _lines(before), _lines(after)
        lines += [(line[0], f"    {line[2:]}") for line in ndiff(old, new) if line[0] in "+-"]
    plain = not may_have_colours()
    for mark, text in lines:
        line = visible(f"{mark} {text}")
        click.echo(line if plain else click.style(line, fg=_STYLES[mark]))


def _lines(plain: Mapping[str, Any]) -> list[str]:
    from beatd.cli.yaml_text import yaml_of

    return yaml_of(dict(plain)).splitlines()


def _brief(plain: Mapping[str, Any]) -> str:
    from beatd.definition import KINDS
    from beatd.views.entry_rows import schedule_text

    schedule = {key: plain[key] for key in KINDS if key in plain}
    return f"{_what(plain)}, {schedule_text(schedule)}"


def _what(plain: Mapping[str, Any]) -> str:
    # The name of the task, or the kind of canvas.
    return str(plain.get("task") or next(key for key in CANVASES if key in plain))
