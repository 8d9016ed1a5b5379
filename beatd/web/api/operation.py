"""The description of one operation of the API, from which its route and its document are made."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec import Struct, json
from starlette.responses import Response

from beatd.web.api.call import Call
from beatd.web.visitor import Role

Schema = dict[str, Any]
Method = Literal["GET", "PUT", "PATCH", "POST", "DELETE"]
Handler = Callable[[Call], Response]

PREFIX = "/api/v1/"


class Parameter(Struct, frozen=True, kw_only=True):
    """A parameter in the query, or a header, with its JSON Schema."""

    name: str
    schema: Schema
    about: str
    place: Literal["query", "header"] = "query"


class Body(Struct, frozen=True, kw_only=True):
    """The JSON that a request has.

    `reader` is the type that reads it; None accepts every JSON object. An optional body may be
    empty.
    """

    schema: Schema
    reader: type[Struct] | None = None
    optional: bool = False
    media_types: tuple[str, ...] = ("application/json",)


class NoBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A body without members."""


def body_read_by(type: type[Struct], *, optional: bool = False) -> Body:
    """Return the body that this type reads, with the JSON Schema of the type."""
    (schema,), components = json.schema_components([type], ref_template="{name}")
    whole: Schema = _in_place(schema, components)
    return Body(schema=whole, reader=type, optional=optional)


def _in_place(schema: Any, components: Mapping[str, Any]) -> Any:
    """Return a schema with each reference replaced by the schema of that name."""
    if isinstance(schema, list):
        return [_in_place(one, components) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _in_place(components[schema["$ref"]], components)
    return {key: _in_place(value, components) for key, value in schema.items()}


class Result(Struct, frozen=True):
    """An answer: what it means, and the JSON Schema of its content, or None without content."""

    about: str
    schema: Schema | None = None


class Operation(Struct, frozen=True, kw_only=True):
    """One method of one path of the API.

    `path` is below PREFIX, such as "entries/{name}/pause". `results` are the answers by status,
    without those that every operation has.
    """

    method: Method
    path: str
    role: Role
    summary: str
    handler: Handler
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    results: Mapping[int, Result]

    @property
    def id(self) -> str:
        """The name of the operation in the document, such as "post_entries_name_pause"."""
        plain = self.path.replace("{", "").replace("}", "").replace(".", "_").replace("/", "_")
        return f"{self.method.lower()}_{plain}"
