"""Make error responses: RFC 9457 problem JSON for programs, and an HTML page for people."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from msgspec import json
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from beatd.web.templates import page

#: What programs read: errors below these paths are RFC 9457 problems.
FOR_PROGRAMS = ("/api/", "/status")
PLAIN_TEXT = "text/plain; charset=utf-8"


def is_for_programs(path: str) -> bool:
    """Return True if `path` is served to programs, which get errors as JSON instead of HTML."""
    return path.startswith(FOR_PROGRAMS)


def problem(
    status: int,
    detail: str = "",
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """Return an error response with an RFC 9457 problem as its JSON body.

    `errors` lists the single mistakes, such as {"pointer": "/cron", "detail": "…"}. `members` are
    added to the JSON object.
    """
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
    }
    if detail:
        content["detail"] = detail
    if errors:
        content["errors"] = list(errors)
    content |= members
    return Response(json.encode(content), status, headers, "application/problem+json")


def error_answer(
    request: Request, status: int, detail: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """Return an error response: JSON if a program reads the request's path, else an HTML page.

    The page of status 503 reloads itself, unless the request sent a form, whose content would be
    lost.
    """
    if is_for_programs(request.url.path):
        return problem(status, detail, headers=headers)
    title = HTTPStatus(status).phrase
    retries = status == HTTPStatus.SERVICE_UNAVAILABLE and request.method == "GET"
    return page(request, "error.html", status, headers, title=title, detail=detail, retries=retries)


def see_other(path: str) -> Response:
    """Return a 303 redirect, after which the browser requests `path` of this server with GET."""
    return RedirectResponse(path, 303)
