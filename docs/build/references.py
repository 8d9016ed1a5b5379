"""Write docs/commands.md and docs/settings.md from the code: `python docs/build/references.py`."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

if not __package__:  # run as a program: make `beatd` known
    sys.path[0] = str(Path(__file__).parents[2])

from beatd.cli import main as beatd
from beatd.config.settings import ABOUT, SECTIONS, TOP
from beatd.definition import FIELDS, KINDS

ROOT = Path(__file__).parents[2]
#: Options of nearly every command, which the page names once.
COMMON = ("--config", "--app", "--store", "--url", "--token-file", "--ca", "--debug", "--json")
_COMMANDS = """# Commands

This page lists every command of `beatd` with its arguments and options. It is made from the
program itself, and `beatd COMMAND --help` prints the same. [entries.md](entries.md) and
[operations.md](operations.md) say what the commands are for.

Exit codes: 0 done, 1 could not, 2 wrong usage ([more](configuration.md#exit-codes)).
"""
_SETTINGS = """# Settings

This page lists every key of the configuration and of an entry with its default. It is made from
the code. [configuration.md](configuration.md) has the rules behind the keys, and
[`config.example.yaml`](../config.example.yaml) has every setting in one file. A default of "none"
means that nothing is set until you write the key.
"""


def commands() -> str:
    """Return the page of the commands."""
    lines = [_COMMANDS, "## Options of most commands", ""]
    lines += ["Each command below names those that it has.", ""]
    with click.Context(beatd, info_name="beatd") as top:
        found = {name: command for name in beatd.list_commands(top) if (command := _of(top, name))}
        common: dict[str, click.Option] = {}
        for command in found.values():
            for option in command.params:
                if isinstance(option, click.Option) and _common(option):
                    common.setdefault(_common(option), option)
        lines += _table([common[name] for name in COMMON if name in common], top)
        for name, command in found.items():
            lines += _command(command, click.Context(command, info_name=name, parent=top), "##")
    return "\n".join(lines) + "\n"


def _of(context: click.Context, name: str) -> click.Command | None:
    group = context.command
    assert isinstance(group, click.Group)
    return group.get_command(context, name)


def _common(option: click.Parameter) -> str:
    """Return the name in COMMON that this option has, or "" if it is the command's own."""
    return next((name for name in COMMON if name in option.opts), "")


def _command(command: click.Command, context: click.Context, level: str) -> Iterator[str]:
    """Yield the lines about a command and about the commands below it."""
    usage = " ".join(command.collect_usage_pieces(context))
    yield from ("", f"{level} {context.command_path}", "", "```text")
    yield from (f"{context.command_path} {usage}".strip(), "```", "")
    yield from _prose(command.help or "")
    options = [one for one in command.get_params(context) if isinstance(one, click.Option)]
    own = [one for one in options if not _common(one) and "--help" not in one.opts]
    if own:
        yield from ("", *_table(own, context))
    if shared := [name for one in options if (name := _common(one))]:
        names = ", ".join(f"`{name}`" for name in COMMON if name in shared)
        yield from ("", f"Also {names}: [above](#options-of-most-commands).")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            inner = click.Context(below, info_name=name, parent=context)
            yield from _command(below, inner, level + "#")


def _prose(text: str) -> Iterator[str]:
    """Yield the help of a command; a paragraph that click does not wrap is shown as written."""
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ""
        if "\b" in paragraph:
            yield from ("```text", *(line.strip() for line in paragraph.splitlines()[1:]), "```")
        else:
            yield _plain(" ".join(paragraph.split()))


def _plain(text: str) -> str:
    """Return a text in which Markdown sees no emphasis and no HTML."""
    parts = text.split("`")
    for number in range(0, len(parts), 2):
        for sign in "*_<[":
            parts[number] = parts[number].replace(sign, f"\\{sign}")
    return "`".join(parts)


def _table(options: Sequence[click.Option], context: click.Context) -> list[str]:
    rows = []
    for option in options:
        if (record := option.get_help_record(context)) is not None:
            rows.append((f"`{_cell(record[0])}`", _cell(_plain(record[1]))))
    return _rows(("option", "what it does"), rows)


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def settings() -> str:
    """Return the page of the settings."""
    lines = [_SETTINGS, "## At the top", ""]
    lines += _rows(("key", "default", "what it says"), [_field(field) for field in TOP])
    for name, about in ABOUT.items():
        lines += ["", f"## {name}", "", _plain(about)]
        if name == "entries":
            lines += _entries()
        elif name == "defaults":
            lines += ["", "Every key of an entry except `task`, `description` and the schedule."]
        else:
            rows = [_field(field) for field in SECTIONS[name]]
            lines += ["", *_rows(("key", "default", "what it says"), rows)]
    return "\n".join(lines) + "\n"


def _entries() -> Iterator[str]:
    kinds = [(f"`{kind}`", _cell(_plain(about))) for kind, (_, about) in KINDS.items()]
    yield from ("", "An entry has exactly one of these schedules ([time.md](time.md)):", "")
    yield from _rows(("schedule", "what it says"), kinds)
    yield from ("", "and these keys; only `task` is needed:", "")
    yield from _rows(("key", "default", "what it says"), [_field(field) for field in FIELDS])


def _field(field: Any) -> tuple[str, str, str]:
    default = "none"
    if field.default not in (None, "", [], {}):
        given = field.default
        default = f"`{given if isinstance(given, str) else json.dumps(given)}`"
    about, _, written = field.about.partition(" [default: ")
    return f"`{field.name}`", written.rstrip("]") or default, _cell(_plain(about))


def pages() -> dict[Path, str]:
    """Return each page that is made from the code, with its text."""
    docs = ROOT / "docs"
    return {docs / "commands.md": commands(), docs / "settings.md": settings()}


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text)
