"""Build the JSON Schemas of the configuration and of entry files, for editors.

They are made from the tables that the readers use. They are draft 7, which the YAML language server
supports best.
"""

from typing import Any

from beatd.config.settings import ABOUT, BY_URL, SECTIONS, TOP
from beatd.definition.arguments import TYPE, TYPES, VALUE
from beatd.definition.canvas_schema import canvas_properties, step_schema
from beatd.definition.fields import DEFAULTABLE, FIELDS, KINDS, Field
from beatd.definition.kinds import ARGUMENT_SCHEMA
from beatd.definition.options import OPTIONS
from beatd.entry import CANVASES

DRAFT = "http://json-schema.org/draft-07/schema#"
# A variable may stand for any value, and null for what is left out.
_INSTEAD = [{"type": "string", "pattern": r"\$\{"}, {"type": "null"}]


def config_schema() -> dict[str, Any]:
    """Return the JSON Schema of a configuration."""
    properties: dict[str, Any] = {field.name: _field(field) for field in TOP}
    for name, fields in SECTIONS.items():
        section: dict[str, Any] = _mapping({field.name: _field(field) for field in fields})
        shapes = [section, {"type": "null"}, *([{"type": "string"}] if name in BY_URL else [])]
        properties[name] = {"description": ABOUT[name], "anyOf": shapes}
    properties |= _entries()
    return _document("beatd configuration", properties)


def entries_schema() -> dict[str, Any]:
    """Return the JSON Schema of an entry file."""
    zone = next(field for field in TOP if field.name == "timezone")
    properties = {"timezone": _field(zone), **_entries()}
    properties["defaults"]["anyOf"].append({"const": False})  # not the configuration's either
    return {**_document("beatd entries", properties), "required": ["entries"]}


def _document(title: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": DRAFT,
        "title": title,
        **_mapping(properties),
        "patternProperties": {"^x-": {"description": "Yours: a place for anchors."}},
        "definitions": {
            "entry": _entry(),
            "options": _options(),
            "argument": _argument(),
            "step": step_schema(),
        },
    }


def _entries() -> dict[str, Any]:
    names = {"type": "string", "minLength": 1, "maxLength": 250}
    defaults = {field.name: _field(field) for field in FIELDS if field.name in DEFAULTABLE}
    return {
        "defaults": {
            "description": ABOUT["defaults"],
            "anyOf": [_mapping(defaults), {"type": "null"}],
        },
        "entries": {
            "description": ABOUT["entries"],
            "type": ["object", "null"],
            "propertyNames": names,
            "additionalProperties": {"$ref": "#/definitions/entry"},
        },
    }


def _entry() -> dict[str, Any]:
    properties = {field.name: _field(field) for field in FIELDS}
    properties |= {
        kind: {**schema, "description": about} for kind, (schema, about) in KINDS.items()
    }
    properties |= canvas_properties()
    return {
        **_mapping(properties),
        "allOf": [
            {"oneOf": [{"required": [kind]} for kind in KINDS]},
            {"oneOf": [{"required": [what]} for what in ("task", *CANVASES)]},
        ],
    }


def _options() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            name: _described(kind.schema, about) for name, (kind, about) in OPTIONS.items()
        },
    }


def _argument() -> dict[str, Any]:
    tagged = {"type": "object", "required": [TYPE, VALUE], "maxProperties": 2}
    value = {"type": ["string", "integer", "object"]}
    return {
        "description": (
            "JSON, or a date, time, datetime, decimal, uuid or bytes: 2027-01-01, !!binary, "
            "or {__type__: decimal, __value__: '1.50'}."
        ),
        "if": tagged,
        "then": {"properties": {TYPE: {"examples": list(TYPES)}, VALUE: value}},
        "else": {"items": ARGUMENT_SCHEMA, "additionalProperties": ARGUMENT_SCHEMA},
    }


def _field(field: Field) -> dict[str, Any]:
    schema = {"$ref": "#/definitions/options"} if field.name == "options" else field.kind.schema
    described = _described(schema, field.about)
    return described if field.default is None else {**described, "default": field.default}


def _described(schema: dict[str, Any], about: str) -> dict[str, Any]:
    return {"description": about, "anyOf": [schema, *_INSTEAD]}


def _mapping(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}
