"""The JSON Schema of a chain, a group or a chord, for editors."""

from typing import Any

from beatd.definition.kinds import ARGUMENT_SCHEMA
from beatd.entry import CANVASES

_STEP = {"$ref": "#/definitions/step"}
_STEPS = {"type": "array", "items": _STEP, "minItems": 1}


def canvas_properties() -> dict[str, Any]:
    """Return the keys that an entry, or a step of a canvas, may have in the place of `task`."""
    chord = {"header": _STEPS, "body": _STEP}
    return {
        "chain": {"description": "Steps, one after the other.", **_STEPS},
        "group": {
            "description": "Steps that run at once; or one task with chunks.",
            "anyOf": [_STEPS, _STEP],
        },
        "chord": {
            "description": "Steps that run at once, and a step that gets their results.",
            "type": "object",
            "additionalProperties": False,
            "required": list(chord),
            "properties": chord,
        },
    }


def step_schema() -> dict[str, Any]:
    """Return the schema of one step: the name of a task, or a mapping."""
    arguments = {"type": "array", "items": ARGUMENT_SCHEMA}
    chunks = {"args": {"type": "array", "items": arguments}, "size": {"type": "integer"}}
    links = {"anyOf": [_STEP, _STEPS]}
    properties = {
        "task": {"description": "The task's name in the workers.", "type": "string"},
        **canvas_properties(),
        "args": arguments,
        "kwargs": {"type": "object", "additionalProperties": ARGUMENT_SCHEMA},
        "chunks": {
            "description": "Argument lists, of which one message has `size`.",
            "type": "object",
            "additionalProperties": False,
            "required": list(chunks),
            "properties": chunks,
        },
        "options": {"$ref": "#/definitions/options"},
        "immutable": {
            "description": "true: it does not get the result of the step before.",
            "type": "boolean",
        },
        "link": {"description": "Called with the result.", **links},
        "link_error": {"description": "Called after a failure.", **links},
    }
    step = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "oneOf": [{"required": [key]} for key in ("task", *CANVASES)],
    }
    return {"anyOf": [{"type": "string"}, step]}
