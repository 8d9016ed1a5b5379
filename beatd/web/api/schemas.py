"""The JSON Schemas that several operations of the API share."""

from typing import Any

from beatd.web.api.operation import Parameter, Result, Schema

LIMIT_MAX = 500
LIMIT = 50
MOMENT: Schema = {"type": "string", "description": "ISO 8601, such as 2027-01-01T09:00:00Z."}
MOMENT_OR_NULL: Schema = {"type": ["string", "null"], "description": "ISO 8601, in UTC."}
TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
ANY_OBJECT: Schema = {"type": "object"}


def named(name: str) -> Schema:
    """Return a JSON Schema that refers to the shared schema `name` of the OpenAPI document."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(properties: dict[str, Any], *optional: str, closed: bool = False) -> Schema:
    """Return the JSON Schema of an object; all properties but those in `optional` are required.

    If `closed`, other properties are forbidden.
    """
    required = [key for key in properties if key not in optional]
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return {**schema, "additionalProperties": False} if closed else schema


def array(of: Schema) -> Schema:
    """Return the JSON Schema of an array whose items have the schema `of`."""
    return {"type": "array", "items": of}


def page_of(item: Schema) -> Schema:
    """Return the JSON Schema of one page of a list whose items have the schema `item`."""
    cursor = {**TEXT_OR_NULL, "description": "Send it as `after` for the next page; null: none."}
    return record({"items": array(item), "next": cursor})


# Parameters

LIMIT_PARAMETER = Parameter(
    name="limit",
    schema={"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT},
    about="The most items of a page. A page may have fewer although more follow.",
)
AFTER = Parameter(name="after", schema=TEXT, about="The `next` of the page before.")
FORCE = Parameter(
    name="force",
    schema={**FLAG, "default": False},
    about="Also an entry that a file or an app declares.",
)
IF_MATCH = Parameter(
    name="If-Match", schema=TEXT, about="The ETag that you read, or *.", place="header"
)
IF_NONE_MATCH = Parameter(
    name="If-None-Match", schema=TEXT, about="An ETag that you have, or *.", place="header"
)
NOTE = Parameter(name="note", schema=TEXT, about="Why: a text for people.")
IDEMPOTENCY_KEY = Parameter(
    name="Idempotency-Key",
    schema={"type": "string", "minLength": 1, "maxLength": 200},
    about="A text of yours. A request that is sent again with it requests nothing new.",
    place="header",
)

# Answers

ENTRY_OR_NULL: Schema = {"anyOf": [named("Entry"), {"type": "null"}]}
STALE = Result("The entry has changed; `current` is what it is now.", named("Problem"))

#: What an entry may run in place of one task: several tasks, as steps with the keys of YAML.
CANVAS: dict[str, Schema] = {
    "chain": {**array({}), "description": "Steps that run one after the other."},
    "group": {"description": "Steps that run at once, or one task with `chunks`."},
    "chord": {**ANY_OBJECT, "description": "The steps `header`, and `body`, which gets results."},
}
_RUNNING = record({"task_id": TEXT, "since": MOMENT})
COMPONENTS: dict[str, Schema] = {
    "Problem": record(
        {
            "type": TEXT,
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
            "errors": array(
                record({"pointer": TEXT, "parameter": TEXT, "detail": TEXT}, "pointer", "parameter")
            ),
            "current": ENTRY_OR_NULL,
        },
        "detail",
        "errors",
        "current",
    ),
    "Entry": record(
        {
            "name": TEXT,
            "task": {**TEXT_OR_NULL, "description": "null: it runs a chain, a group or a chord."},
            **CANVAS,
            "schedule": {**ANY_OBJECT, "description": 'As in YAML: {"cron": "0 2 * * *"}.'},
            "tz": TEXT,
            "args": array({}),
            "kwargs": ANY_OBJECT,
            "options": ANY_OBJECT,
            "enabled": FLAG,
            "paused": FLAG,
            "next": MOMENT_OR_NULL,
            "last": MOMENT_OR_NULL,
            "runs": COUNT,
            "source": TEXT,
            "declared_at": TEXT,
            "revision": {"type": "integer", "minimum": 0},
            "definition": {**ANY_OBJECT, "description": "What a PUT writes: the keys of YAML."},
            "plan": {
                **record({"planned": MOMENT_OR_NULL, "due": MOMENT_OR_NULL, "waits": FLAG}),
                "description": "`due` has the jitter; `waits`: for the end of the run before.",
            },
            "outcome": {"type": ["object", "null"]},
            "running": {"anyOf": [_RUNNING, {"type": "null"}]},
            "not_received": {
                **record({"task_id": TEXT, "planned": MOMENT, "published": MOMENT}),
                "description": "The newest run, if it is newer than `outcome` and no worker has "
                "received it.",
            },
            "unread": {
                **FLAG,
                "description": "true: no end of the newest run is known, and no daemon leads and "
                "reads the reports of workers.",
            },
        },
        "declared_at",
        "not_received",
        "unread",
        *CANVAS,
    ),
    "Definition": {
        "type": "object",
        "description": "An entry with the keys of YAML; see `beatd schema --entries`.",
        "properties": {
            "task": TEXT,
            **CANVAS,
            "tz": TEXT,
            "args": array({}),
            "kwargs": ANY_OBJECT,
        },
        "examples": [
            {"task": "proj.tidy", "every": "5m"},
            {"chain": [{"task": "proj.extract", "args": [7]}, "proj.load"], "every": "1h"},
        ],
    },
    "Run": record({"local": TEXT, "utc": TEXT}),
    "Record": record(
        {
            "entry": TEXT,
            "planned": MOMENT,
            "state": {"enum": ["claimed", "published", "skipped", "failed"]},
            "reason": TEXT,
            "task_id": TEXT,
            "published": MOMENT_OR_NULL,
            "late": NUMBER_OR_NULL,
            "origin": TEXT,
            "outcome": TEXT_OR_NULL,
        }
    ),
    "Incident": record(
        {
            "id": TEXT,
            "kind": TEXT,
            "entry": TEXT_OR_NULL,
            "opened": MOMENT,
            "closed": MOMENT_OR_NULL,
        }
    ),
    "Change": record(
        {
            "id": TEXT,
            "at": MOMENT,
            "entry": TEXT,
            "action": {"enum": ["added", "edited", "paused", "resumed", "removed"]},
            "by": TEXT,
            "via": TEXT,
            "note": TEXT,
        }
    ),
    "EditResult": record({"name": TEXT, "done": FLAG, "text": TEXT}),
    "Mistake": record({"pointer": TEXT, "detail": TEXT}),
}
