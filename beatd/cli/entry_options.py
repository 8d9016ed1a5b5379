"""The options of `beatd add` and `beatd edit`, one for each field of an entry."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, get_args, get_origin

import click
from msgspec import structs

from beatd.cli.completion_names import names_of_zones
from beatd.entry import Entry

TOO_DEEP = "is nested deeper than 50 levels"
MESSAGE_OPTIONS = {
    "queue": ("NAME", "The queue of its messages."),
    "exchange": ("NAME", "The exchange of its messages."),
    "routing_key": ("KEY", "The routing key of its messages."),
    "priority": ("N", "The priority of its messages, 0 to 255."),
    "expires": ("DURATION", "When a message expires; `next`: when the next run is due."),
    "countdown": ("DURATION", "How long a worker waits before it runs the task."),
    "serializer": ("NAME", "The serializer: json, yaml, msgpack."),
}
CANVAS_HELP = {
    "chain": 'Tasks that run one after the other: [proj.extract, {"task": "proj.load"}].',
    "group": "Tasks that run at once, as JSON or YAML like those of --chain.",
    "chord": "Tasks at once, then one with their results: {header: [proj.a], body: proj.sum}.",
}
_METAVARS_BY_NAME = {
    "task": "NAME",
    "tz": "ZONE",
    "args": "JSON",
    "kwargs": "JSON",
    "description": "TEXT",
}
_METAVARS_BY_TYPE = {timedelta: "DURATION", datetime: "MOMENT", int: "N", bool: "true|false"}
_EXAMPLES = {
    "option": "priority=5",
    "header": "x-customer=7",
    "alert": "failed=3",
    "monitor": "ping=https://hc-ping.com/2ab5c1d2",
}
_SPECIAL = ("options", "enabled", "alert", "monitor")  # their options have another form


def _fields() -> Iterator[tuple[str, str, str]]:
    """Yield (name, metavar, help) of a command-line option for each simple field of an entry.

    For example ("tz", "ZONE", "…"); a metavar stands for the value in --help.
    """
    for field in structs.fields(Entry):
        if get_origin(field.type) is not Annotated or field.name in _SPECIAL:
            continue
        of_type, about = get_args(field.type)
        metavar = _METAVARS_BY_NAME.get(field.name)
        if get_origin(of_type) is Literal:
            metavar = "|".join(get_args(of_type))
        elif metavar is None:
            types = (of_type, *get_args(of_type))
            metavar = next(text for one, text in _METAVARS_BY_TYPE.items() if one in types)
        yield field.name, metavar, about
        if field.name == "task":
            for kind, about in CANVAS_HELP.items():
                yield kind, "STEPS", about


_FIELDS = tuple(_fields())
_NUMBERS = [name for name, metavar, _ in _FIELDS if metavar == "N"]


def takes_fields(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with one option for each field of an entry."""
    command = click.option(
        "--disabled/--enabled",
        default=None,
        help="Keep the entry without running it, or run it again.",
    )(command)
    for name, what in (
        ("option", "An option of apply_async; VALUE is JSON or text."),
        ("header", "A header of its messages; VALUE is JSON or text."),
        ("alert", "What opens an incident: failed=3, late=1m, missing=26h, running=2h."),
        ("monitor", "A monitor that learns how its runs end: ping=URL, sentry=true."),
    ):
        command = click.option(
            f"--{name}", f"{name}s_given", metavar="KEY=VALUE", multiple=True, help=what
        )(command)
    options = [(name, metavar, about) for name, (metavar, about) in MESSAGE_OPTIONS.items()]
    for name, metavar, about in reversed((*_FIELDS, *options)):
        flag: dict[str, Any] = (
            {"is_flag": False, "flag_value": "true"} if metavar == "true|false" else {}
        )
        option = f"--{name.replace('_', '-')}"
        if metavar == "ZONE":
            flag["shell_complete"] = names_of_zones
        command = click.option(option, metavar=metavar, help=about, **flag)(command)
    return command


def fields_of(options: dict[str, Any]) -> dict[str, Any]:
    """Remove the entry options from `options`, and return the given ones as fields of an entry.

    For example, --priority 3 becomes {"options.priority": "3"}.
    """
    fields: dict[str, Any] = {}
    for name, metavar, _ in _FIELDS:
        value = options.pop(name)
        if value is not None:
            read = {"JSON": read_json, "N": _number, "STEPS": read_steps}.get(metavar)
            fields[name] = value if read is None else read(name, value)
    for name, (metavar, _) in MESSAGE_OPTIONS.items():
        value = options.pop(name)
        if value is not None:
            fields[f"options.{name}"] = _value(name, value) if metavar == "DURATION" else value
    for pair in options.pop("options_given"):
        key, value = _pair("option", pair)
        fields[f"options.{key}"] = value
    for pair in options.pop("headers_given"):
        key, value = _pair("header", pair)
        fields[f"options.headers.{key}"] = value
    for option in ("alert", "monitor"):
        for pair in options.pop(f"{option}s_given"):
            key, value = _pair(option, pair)
            fields[f"{option}.{key}"] = value
    disabled = options.pop("disabled")
    if disabled is not None:
        fields["enabled"] = not disabled
    return fields


def one_name(words: Sequence[str]) -> str:
    """Return the only element of `words`, the name of an entry.

    Raises click.UsageError if there is none, or more than one.
    """
    if len(words) == 1:
        return words[0]
    if not words:
        raise click.UsageError("the name of the entry is missing; give it first")
    extra = ", ".join(map(repr, words[1:]))
    raise click.UsageError(
        f"give one name: {extra} came after {words[0]!r}; put a schedule or text in quotes"
    )


def read_json(name: str, text: str) -> Any:
    """Return the list of the option --args, or the mapping of --kwargs, from its JSON text.

    Raises click.UsageError for any other text.
    """
    from msgspec import DecodeError, json

    kind = list if name == "args" else dict
    example = f"""--{name} '{'[1, "two"]' if kind is list else '{"full": true}'}'"""
    _refuse_other_bytes(name, text)
    try:
        value = json.decode(text)
    except RecursionError:
        raise click.UsageError(f"--{name}: {TOO_DEEP}") from None
    except DecodeError as error:
        why = str(error).removeprefix("JSON is malformed: ")
        raise click.UsageError(
            f"--{name}: {_short(text)} is not JSON ({why}); write it like {example}"
        ) from None
    if not isinstance(value, kind):
        what = "a list" if kind is list else "a mapping"
        raise click.UsageError(f"--{name}: {_short(text)} is not {what}; write it like {example}")
    return value


def read_steps(name: str, text: str) -> Any:
    """Return the steps of --chain, --group or --chord from JSON or YAML.

    Raises click.UsageError if the text is neither.
    """
    from msgspec import DecodeError, json

    from beatd.config.yaml import Read, parse_yaml

    _refuse_other_bytes(name, text)
    try:
        return json.decode(text)
    except RecursionError:
        raise click.UsageError(f"--{name}: {TOO_DEEP}") from None
    except DecodeError:
        read = Read("line")
        parse_yaml(text, read, {})
    wrong = [problem.text for problem in read.problems if not problem.warning]
    if wrong:
        raise click.UsageError(
            f"--{name}: {_short(text)}{'' if wrong[0].startswith('is ') else ':'} {wrong[0]}"
        )
    return as_plain_data(read.data)


def as_plain_data(value: Any) -> Any:
    """Return YAML data as plain dicts, lists and strings, without line numbers."""
    if isinstance(value, Mapping):
        return {str(key): as_plain_data(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_plain_data(item) for item in value]
    return str(value) if isinstance(value, str) else value


def _number(name: str, text: str) -> Any:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text


def _pair(option: str, pair: str) -> tuple[str, Any]:
    key, mark, value = pair.partition("=")
    if not (key and mark):
        raise click.UsageError(
            f"--{option}: {_short(pair)} is not KEY=VALUE; write it like {_EXAMPLES[option]}"
        )
    return key, _value(option, value)


def _value(option: str, text: str) -> Any:
    from msgspec import DecodeError, json

    _refuse_other_bytes(option, text)
    try:
        return json.decode(text)
    except DecodeError:
        return text
    except RecursionError:
        raise click.UsageError(f"--{option}: {TOO_DEEP}") from None


def _refuse_other_bytes(option: str, text: str) -> None:
    # Python turns bytes of the command line that are no UTF-8 into surrogates.
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise click.UsageError(f"--{option}: {_short(text)} is no Unicode text; write it as UTF-8")


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}…")
