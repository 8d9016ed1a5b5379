"""Requests that are refused, as RFC 9457 problems."""

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import Response

from beatd.errors import (
    BeatError,
    ConfigError,
    Conflict,
    Path,
    Problem,
    StoreError,
    UnknownEntry,
    in_one_line,
)
from beatd.secret import hidden
from beatd.web.answers import problem

RETRY_AFTER_S = 5
MISTAKES_MAX = 1_000  # of one request; the detail has the number of all


class Refusal(Exception):
    """Raised by a handler to answer with this status instead of a result.

    `errors` are the single mistakes; `members` are further members of the problem's JSON.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Iterable[Mapping[str, str]] = (),
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, list(errors)
        self.headers, self.members = headers, members

    def answer(self) -> Response:
        """Return the answer to the request."""
        return problem(self.status, self.detail, self.errors, self.headers, **self.members)


def pointer(path: Path) -> str:
    """Return a path of keys as a JSON Pointer (RFC 6901), such as "/options/queue"."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in path)


def mistakes(problems: Iterable[Problem]) -> list[dict[str, str]]:
    """Return problems of an entry or a request as JSON, with a pointer to each wrong value."""
    return [{"pointer": pointer(one.path), "detail": one.text} for one in problems]


def wrong_values(problems: Iterable[Problem]) -> Refusal:
    """Return the refusal of a request whose body has these problems; there must be one.

    The answer lists the first MISTAKES_MAX of them.
    """
    every = list(problems)
    return Refusal(422, in_one_line(every), mistakes(every[:MISTAKES_MAX]))


def wrong_parameter(name: str, detail: str) -> Refusal:
    """Return the refusal of a request with a wrong parameter in its query or headers."""
    detail = hidden(detail)
    return Refusal(422, f"{name}: {detail}", [{"parameter": name, "detail": detail}])


def refusal_of_error(error: BeatError) -> Refusal:
    """Return the refusal that stands for an error of an edit or of the store."""
    text = str(error).replace("use --force", "add ?force=true")
    match error:
        case StoreError():
            return Refusal(503, text, headers={"Retry-After": str(RETRY_AFTER_S)})
        case UnknownEntry():
            return Refusal(404, text.partition("; `beatd list`")[0])
        case Conflict():
            return Refusal(409, text)
        case ConfigError():
            return Refusal(422, text, mistakes(error.problems))
        case _:
            return Refusal(422, text)
