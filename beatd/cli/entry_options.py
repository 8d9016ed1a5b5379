"""The options that `add` and `edit` share, one for each field of an entry."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from beatd.problem import Problem

TOO_DEEP = "is nested deeper than 50 levels"
_TEXT = ("task", "tz", "start", "end", "jitter", "catch_up_window", "grace", "description")
_CHOICES = ("catch_up", "on_unknown", "dst_gap", "dst_fold")
_NUMBERS = ("max_runs", "catch_up_max")
_OPTIONS = ("queue", "exchange", "routing_key", "priority", "expires", "countdown", "serializer")

_ABOUT = {
    "task": ("NAME", "The task, as its workers know it."),
    "tz": ("ZONE", "Its time zone; the configuration's when left out."),
    "args": ("JSON", "Positional arguments: '[2, 2]'."),
    "kwargs": ("JSON", "Keyword arguments: '{\"full\": true}'."),
    "queue": ("NAME", "The queue it goes to."),
    "exchange": ("NAME", "The exchange it is published to."),
    "routing_key": ("KEY", "The routing key."),
    "priority": ("N", "0 to 255."),
    "expires": ("D", "Workers drop it after so long; `next`: when the following run is due."),
    "countdown": ("D", "Workers wait this long."),
    "serializer": ("NAME", "json, yaml, msgpack."),
    "start": ("ISO", "No run before it; also the anchor of --every."),
    "end": ("ISO", "No run after it."),
    "max_runs": ("N", "Finished after so many runs."),
    "jitter": ("D", "Up to this much later, the same for each occurrence."),
    "catch_up": ("latest|all|skip", "Which missed moments to run."),
    "catch_up_window": ("D", "How far back missed moments count."),
    "catch_up_max": ("N", "At most so many missed moments."),
    "grace": ("D", "With --catch-up skip: a moment may be this late."),
    "on_unknown": ("resend|skip", "When nobody can tell if it was sent."),
    "dst_gap": ("run|skip", "A fixed time that the clock skipped."),
    "dst_fold": ("first|last|both", "A fixed time that came twice."),
    "description": ("TEXT", "For people."),
}


def takes_fields(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; `fields_of` reads them."""
    command = click.option(
        "--disabled/--enabled", default=None, help="Keep it and never run it, or run it again."
    )(command)
    for name, what in (("option", "An option of apply_async"), ("header", "A header")):
        command = click.option(
            f"--{name}",
            f"{name}s_given",
            metavar="K=V",
            multiple=True,
            help=f"{what}; V is JSON, or text.",
        )(command)
    for name, (metavar, about) in reversed(_ABOUT.items()):
        command = click.option(f"--{name.replace('_', '-')}", metavar=metavar, help=about)(command)
    return command


def fields_of(options: dict[str, Any]) -> dict[str, Any]:
    """Remove the options of fields from `options`, and return the fields.

    A key may be inside another field, like options.headers.x.
    """
    fields: dict[str, Any] = {}
    for name in _ABOUT:
        value = options.pop(name)
        if value is None:
            continue
        if name in ("args", "kwargs"):
            fields[name] = _json(name, value)
        elif name in _NUMBERS:
            fields[name] = _number(name, value)
        elif name in _OPTIONS:
            fields[f"options.{name}"] = (
                _value(name, value) if name in ("expires", "countdown") else value
            )
        else:
            fields[name] = value
    for pair in options.pop("options_given"):
        key, value = _pair("option", pair)
        fields[f"options.{key}"] = value
    for pair in options.pop("headers_given"):
        key, value = _pair("header", pair)
        fields[f"options.headers.{key}"] = value
    disabled = options.pop("disabled")
    if disabled is not None:
        fields["enabled"] = not disabled
    return fields


def as_option(problem: "Problem") -> "Problem":
    """Return the problem with the option that was typed: --priority for options.priority."""
    from beatd.problem import Problem

    path = problem.path
    if len(path) > 1 and path[0] == "options" and path[1] in _OPTIONS:
        path = path[1:]
    elif path[:2] == ("options", "headers"):
        path = ("header", *path[2:])
    elif path[:1] == ("options",):
        path = ("option", *path[1:])
    if path:
        path = (f"--{path[0]}".replace("_", "-"), *path[1:])
    return Problem(problem.text, path, problem.place, problem.warning)


def one_name(words: Sequence[str]) -> str:
    """Return the only name among the arguments. Raises click.UsageError for none or several."""
    if len(words) == 1:
        return words[0]
    if not words:
        raise click.UsageError("the name of the entry is missing")
    extra = ", ".join(map(repr, words[1:]))
    raise click.UsageError(
        f"one name, please: {extra} came after {words[0]!r}; put a schedule or text in quotes"
    )


def _json(name: str, text: str) -> Any:
    from msgspec import DecodeError, json

    kind, example = (list, "[2, 2]") if name == "args" else (dict, '{"full": true}')
    try:
        value = json.decode(text)
    except RecursionError:
        raise click.UsageError(f"--{name}: {TOO_DEEP}") from None
    except DecodeError as error:
        why = str(error).removeprefix("JSON is malformed: ")
        raise click.UsageError(
            f"--{name}: {_short(text)} is not JSON ({why}); write it like '{example}'"
        ) from None
    if not isinstance(value, kind):
        what = "a list" if kind is list else "a mapping"
        raise click.UsageError(f"--{name}: {_short(text)} is not {what}; write it like '{example}'")
    return value


def _number(name: str, text: str) -> Any:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text


def _pair(option: str, pair: str) -> tuple[str, Any]:
    key, mark, value = pair.partition("=")
    if not (key and mark):
        raise click.UsageError(f"--{option}: {_short(pair)} is not K=V; write it like priority=5")
    return key, _value(option, value)


def _value(option: str, text: str) -> Any:
    from msgspec import DecodeError, json

    try:
        return json.decode(text)
    except DecodeError:
        return text
    except RecursionError:
        raise click.UsageError(f"--{option}: {TOO_DEEP}") from None


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}…")
