"""Answers that are errors, in the form of the caller: JSON for programs, a page for people."""

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
    """Return True if programs read the answers of this path."""
    return path.startswith(FOR_PROGRAMS)


def problem(
    status: int,
    detail: str = "",
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """Return an RFC 9457 problem.

    `errors` are the single mistakes, such as {"pointer": "/cron", "detail": "…"}. `members` are
    further members of the JSON.
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
    """Return a problem for a program, or a page with the same words for a person.

    The page of a 503 loads itself again, unless it answers a form, which must not be lost.
    """
    if is_for_programs(request.url.path):
        return problem(status, detail, headers=headers)
    title = HTTPStatus(status).phrase
    retries = status == HTTPStatus.SERVICE_UNAVAILABLE and request.method == "GET"
    return page(request, "error.html", status, headers, title=title, detail=detail, retries=retries)


def see_other(path: str) -> Response:
    """Return a redirect to a path of this server; the browser then sends a GET."""
    return RedirectResponse(path, 303)
