"""Who requested a run by hand, and with which arguments.

The store keeps this as a note under the run's task id, and deletes it with the history.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET, MsgspecError, Struct, UnsetType, json

from beatd.changes import Via
from beatd.history import Record
from beatd.marks import Marks

SHOWN_CHARS_MAX = 80  # of the arguments


class RequestedRun(Struct, frozen=True, omit_defaults=True):
    """Who requested a run and how, with the arguments given instead of the entry's, as in JSON.

    `by` is a name such as "ann@host-1". Unset arguments are those of the entry.
    """

    by: str = ""
    via: Via = "command"
    args: Sequence[Any] | UnsetType = UNSET
    kwargs: Mapping[str, Any] | UnsetType = UNSET


def requested_run(marks: Marks, record: Record) -> RequestedRun | None:
    """Return who requested the run of a history record; None if it was not requested or that is
    unknown."""
    if record.origin not in ("trigger", "resend") or not record.task_id:
        return None
    text = marks.requested(record.task_id)
    try:
        return None if text is None else json.decode(text, type=RequestedRun)
    except MsgspecError:
        return None  # it was changed by hand


def requested_json(requested: RequestedRun | None) -> dict[str, Any]:
    """Return the JSON field "requested" of a run, or an empty dict if nothing is known."""
    if requested is None:
        return {}
    plain = json.decode(json.encode(requested))
    return {"requested": {"by": requested.by, "via": requested.via, **plain}}


def requested_text(plain: Mapping[str, Any] | None) -> str:
    """Return the field "requested" of a run as a short text: "by ann@host-1, args [7]"; "" if it is
    None."""
    if plain is None:
        return ""
    parts = [f"by {plain['by']}"] if plain["by"] else []
    for key in ("args", "kwargs"):
        if key in plain:
            text = json.encode(plain[key]).decode()
            cut = text if len(text) <= SHOWN_CHARS_MAX else f"{text[: SHOWN_CHARS_MAX - 1]}…"
            parts.append(f"{key} {cut}")
    return ", ".join(parts)
