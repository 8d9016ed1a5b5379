"""Arguments of a run requested by hand, which replace those of its entry.

The store keeps them under the id of the request, so that the run has them also when another daemon
sends it again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import MsgspecError, Struct, json
from msgspec.structs import replace

from beatd.canvas import kind_of
from beatd.changes import Author
from beatd.definition.argument_values import refuse_one_value
from beatd.definition.arguments import canonical_json, tagged, untagged, untagged_items
from beatd.entry import Entry
from beatd.errors import ConfigError
from beatd.marks import Marks

#: How the id of a request with arguments begins.
ID_PREFIX = "args-"
ARGUMENTS_BYTES_MAX = 32_768


class RequestArguments(Struct, frozen=True):
    """The arguments of one requested run; None stands for those of the entry."""

    args: Sequence[Any] | None = None
    kwargs: Mapping[str, Any] | None = None

    def __bool__(self) -> bool:
        return self.args is not None or self.kwargs is not None


class _Stored(Struct, frozen=True):
    args: list[Any] | None
    kwargs: dict[str, Any] | None


def refuse_arguments(entry: Entry, given: RequestArguments | None) -> None:
    """Raise ConfigError if arguments are given for a run of several tasks."""
    if given and entry.canvas is not None:
        raise ConfigError(
            f"entry {entry.name!r} runs a {kind_of(entry.canvas)}, whose steps have arguments of "
            "their own; run it without arguments, or edit its steps"
        )


def write_arguments(marks: Marks, id: str, given: RequestArguments, now: datetime) -> None:
    """Write the arguments of the request `id`; do this before the request is added.

    Raises ConfigError if they are too large, or if JSON cannot hold them.
    """
    text = arguments_text(given)
    size = len(text.encode())
    if size > ARGUMENTS_BYTES_MAX:
        most = f"{ARGUMENTS_BYTES_MAX // 1024} KiB"
        raise ConfigError(f"the arguments take {size} bytes; at most {most} are possible")
    marks.write_arguments(id, text, now)


def write_requested(
    marks: Marks, task_id: str, author: Author, given: RequestArguments | None, now: datetime
) -> None:
    """Write who requests the run `task_id`, and with which arguments of its own."""
    plain: dict[str, Any] = {"by": author.name, "via": author.via}
    if given is not None:
        both = {"args": given.args, "kwargs": given.kwargs}
        plain |= {key: tagged(value) for key, value in both.items() if value is not None}
    marks.write_requested(task_id, canonical_json(plain).decode(), now)


def arguments_text(given: RequestArguments) -> str:
    """Return the text that the store keeps. Raises ConfigError if JSON cannot hold the
    arguments."""
    refuse_one_value(given.kwargs or {})
    try:
        return canonical_json({"args": given.args, "kwargs": given.kwargs}).decode()
    except TypeError as error:
        raise ConfigError(f"the arguments cannot be sent: {error}") from None


def with_arguments(marks: Marks) -> Callable[[Entry, str], Entry]:
    """Return a function that replaces the arguments of an entry by those of a request.

    The function takes the entry and the id of the request.
    """

    def put(entry: Entry, id: str) -> Entry:
        text = marks.arguments(id) if id.startswith(ID_PREFIX) else None
        if text is None:
            return entry
        try:
            given = json.decode(text, type=_Stored)
            return replace(
                entry,
                args=entry.args if given.args is None else tuple(map(untagged, given.args)),
                kwargs=entry.kwargs if given.kwargs is None else untagged_items(given.kwargs),
            )
        except (MsgspecError, UnicodeError, RecursionError):
            return entry  # changed by hand

    return put
