"""The types that describe an operation of the API, for its route and its OpenAPI document."""

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
    """A query parameter or header that an operation of the API accepts, with its JSON Schema."""

    name: str
    schema: Schema
    about: str
    place: Literal["query", "header"] = "query"


class Body(Struct, frozen=True, kw_only=True):
    """The JSON body that an operation of the API expects.

    `reader` is the type that a body is converted to; None keeps it as a dict. If `optional`, the
    body may be empty.
    """

    schema: Schema
    reader: type[Struct] | None = None
    optional: bool = False
    media_types: tuple[str, ...] = ("application/json",)


class NoBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An empty JSON object, for operations of the API that need no values in their body."""


def body_read_by(type: type[Struct], *, optional: bool = False) -> Body:
    """Return the description of a request body whose JSON is converted to the struct `type`."""
    (schema,), components = json.schema_components([type], ref_template="{name}")
    whole: Schema = _in_place(schema, components)
    return Body(schema=whole, reader=type, optional=optional)


def _in_place(schema: Any, components: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_in_place(one, components) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _in_place(components[schema["$ref"]], components)
    return {key: _in_place(value, components) for key, value in schema.items()}


class Result(Struct, frozen=True):
    """A possible response of an operation: its meaning, and the JSON Schema of its body, if any."""

    about: str
    schema: Schema | None = None


class Operation(Struct, frozen=True, kw_only=True):
    """One operation of the API: a method and a path, with their handler, parameters and responses.

    `path` is relative to /api/v1/, such as "entries/{name}/pause". `results` has the responses by
    status, except those that all operations share.
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
        """The unique id of the operation in OpenAPI, such as "post_entries_name_pause"."""
        plain = self.path.replace("{", "").replace("}", "").replace(".", "_").replace("/", "_")
        return f"{self.method.lower()}_{plain}"
