"""Convert an entry's definition to the texts of a form's fields, and back."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import MsgspecError, Struct, json

from beatd.definition import KINDS
from beatd.entry import CANVASES
from beatd.errors import Problem

#: The keys of a definition that have a field of their own; `more` has all others, as JSON.
TEXTS = ("task", "tz", "description")
JSONS = ("args", "kwargs")
#: Kinds of schedule whose value is a mapping, which the form writes as JSON.
MAPPINGS = ("crontab", "solar")
#: The examples that the form shows, by kind of schedule.
EXAMPLES = {
    "every": "5m",
    "cron": "30 2 * * mon-fri",
    "at": "2027-01-01T09:00",
    "rrule": "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17",
    "crontab": '{"minute": 0, "hour": "*/3"}',
    "solar": '{"event": "sunset", "lat": 31.2, "lon": 121.5}',
}
CANVAS_EXAMPLE = '{"chain": ["proj.extract", {"task": "proj.load", "args": [7]}]}'


class FormFields(Struct, frozen=True, kw_only=True):
    """The texts in the fields of the form that edits an entry; `kind` is the kind of schedule.

    `canvas` is the JSON of the key `chain`, `group` or `chord`, or "" for an entry with one task.
    """

    name: str = ""
    task: str = ""
    canvas: str = ""
    kind: str = "every"
    schedule: str = ""
    tz: str = ""
    args: str = "[]"
    kwargs: str = "{}"
    queue: str = ""
    enabled: bool = True
    description: str = ""
    more: str = "{}"


def fields_from(name: str, plain: Mapping[str, Any]) -> FormFields:
    """Convert an entry's definition, with the keys of YAML, to the texts of the form's fields."""
    rest = dict(plain)
    kind = next((one for one in KINDS if one in rest), "every")
    schedule = rest.pop(kind, "")
    options = dict(rest.pop("options", {}))
    queue = options.pop("queue", "")
    canvas = {key: rest.pop(key) for key in CANVASES if key in rest}
    texts = {key: str(rest.pop(key, "")) for key in TEXTS}
    jsons = {key: _text(rest.pop(key)) for key in JSONS if key in rest}
    enabled = rest.pop("enabled", True) is not False
    if not isinstance(queue, str):
        options, queue = {**options, "queue": queue}, ""
    if options:
        rest["options"] = options
    return FormFields(
        name=name,
        kind=kind,
        schedule=schedule if isinstance(schedule, str) else _text(schedule),
        queue=queue,
        enabled=enabled,
        canvas=json.format(json.encode(canvas), indent=2).decode() if canvas else "",
        more=json.format(json.encode(rest), indent=2).decode(),
        **texts,
        **jsons,
    )


def fields_in(form: Mapping[str, Sequence[str]], name: str) -> FormFields:
    """Return the form's fields from the data that a browser sent; `name` overrides the field
    `name`."""

    def text(key: str, default: str = "") -> str:
        return form.get(key, [default])[0].strip().replace("\r\n", "\n")

    return FormFields(
        name=name or text("name"),
        task=text("task"),
        canvas=text("canvas"),
        kind=text("kind") if text("kind") in KINDS else "every",
        schedule=text("schedule"),
        tz=text("tz"),
        args=text("args") or "[]",
        kwargs=text("kwargs") or "{}",
        queue=text("queue"),
        enabled=text("enabled") == "on",
        description=text("description"),
        more=text("more") or "{}",
    )


def plain_from(fields: FormFields) -> tuple[dict[str, Any], list[Problem]]:
    """Convert the form's fields to a definition with the keys of YAML, and a list of mistakes."""
    problems: list[Problem] = []

    def read(key: str, text: str, example: str) -> Any:
        try:
            return json.decode(text)
        except (MsgspecError, RecursionError) as error:
            why = str(error).removeprefix("JSON is malformed: ")
            problems.append(Problem(f"is not JSON ({why}); write it like {example}", (key,)))
            return None

    more = read("more", fields.more, '{"jitter": "30s"}')
    plain: dict[str, Any] = dict(more) if isinstance(more, dict) else {}
    if more is not None and not isinstance(more, dict):
        problems.append(Problem('is not a mapping; write it like {"jitter": "30s"}', ("more",)))
    plain |= {key: getattr(fields, key) for key in TEXTS if getattr(fields, key)}
    if fields.canvas:
        canvas = read("canvas", fields.canvas, CANVAS_EXAMPLE)
        if isinstance(canvas, dict) and canvas and canvas.keys() <= set(CANVASES):
            plain |= canvas
        elif canvas is not None:
            text = f"has not the key chain, group or chord; write it like {CANVAS_EXAMPLE}"
            problems.append(Problem(text, ("canvas",)))
    if fields.kind in KINDS and fields.schedule:
        plain[fields.kind] = (
            read(fields.kind, fields.schedule, EXAMPLES[fields.kind])
            if fields.kind in MAPPINGS
            else fields.schedule
        )
    for key, empty in (("args", []), ("kwargs", {})):
        value = read(key, getattr(fields, key), json.encode(empty).decode())
        if value is not None and value != empty:
            plain[key] = value
    if fields.queue:
        options = plain.get("options")
        plain["options"] = {**(options if isinstance(options, dict) else {}), "queue": fields.queue}
    if not fields.enabled:
        plain["enabled"] = False
    return plain, problems


def _text(value: Any) -> str:
    return json.encode(value).decode()
