"""Make the OpenAPI 3.1 document of the API from the list of its operations."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from beatd.web.api.operation import PREFIX, Operation, Parameter, Result
from beatd.web.api.schemas import COMPONENTS, TEXT, named

DESCRIPTION = (
    "Read and change the entries of beatd, and read what became of their runs. Times are ISO 8601. "
    "An error is a problem of RFC 9457 with the words of `beatd check`. A slash in the name of an "
    "entry is sent as %2F."
)
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")
_PROBLEM = "application/problem+json"
#: The answers that every operation may have.
_COMMON = {
    400: Result("The request is not HTTP or JSON.", named("Problem")),
    401: Result("A token is needed.", named("Problem")),
    403: Result("This visitor may not do that.", named("Problem")),
    422: Result("Something in the request is wrong.", named("Problem")),
    429: Result("Too many wrong tokens.", named("Problem")),
    503: Result("The store cannot be used; try again.", named("Problem")),
}
_WITH_BODY = {
    413: Result("The body is too large.", named("Problem")),
    415: Result("The body has another content type.", named("Problem")),
}
_WITH_NAME = {404: Result("There is no such entry or change.", named("Problem"))}


def document_of(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document that describes these operations of the API."""
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(PREFIX + one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": "beatd", "version": version, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": COMPONENTS,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(one: Operation) -> dict[str, Any]:
    in_path = [_path_parameter(name) for name in _PATH_PARAMETER.findall(one.path)]
    results = {
        **_COMMON,
        **(_WITH_NAME if in_path else {}),
        **(_WITH_BODY if one.body is not None else {}),
        **one.results,
    }
    described: dict[str, Any] = {
        "operationId": one.id,
        "summary": one.summary,
        "description": f"Needs the role {one.role}.",
        "parameters": [*in_path, *(_parameter(given) for given in one.parameters)],
        "responses": {str(status): _result(status, results[status]) for status in sorted(results)},
    }
    if one.body is not None:
        described["requestBody"] = {
            "required": not one.body.optional,
            "content": {kind: {"schema": one.body.schema} for kind in one.body.media_types},
        }
    return described


def _path_parameter(name: str) -> dict[str, Any]:
    schema = {**TEXT, "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameter(one: Parameter) -> dict[str, Any]:
    return {"name": one.name, "in": one.place, "description": one.about, "schema": one.schema}


def _result(status: int, result: Result) -> dict[str, Any]:
    described: dict[str, Any] = {"description": f"{HTTPStatus(status).phrase}. {result.about}"}
    if result.schema is not None:
        kind = _PROBLEM if status >= 400 else "application/json"
        described["content"] = {kind: {"schema": result.schema}}
    return described
