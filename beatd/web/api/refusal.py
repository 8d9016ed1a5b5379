"""The error that a handler of the API raises, which becomes an RFC 9457 problem response."""

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
    """The error that a handler of the API raises to respond with an error status.

    `errors` lists the single mistakes in the request; `members` are added to the response's JSON.
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
        """Return the error response with an RFC 9457 problem as its JSON body."""
        return problem(self.status, self.detail, self.errors, self.headers, **self.members)


def pointer(path: Path) -> str:
    """Return a path of keys as a JSON Pointer (RFC 6901), such as "/options/queue"."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in path)


def mistakes(problems: Iterable[Problem]) -> list[dict[str, str]]:
    """Return the mistakes in an entry or a request as JSON, each with a pointer to the wrong
    value."""
    return [{"pointer": pointer(one.path), "detail": one.text} for one in problems]


def wrong_values(problems: Iterable[Problem]) -> Refusal:
    """Return the 422 error for a request whose body has these mistakes, of which there is at least
    one.

    The response lists at most MISTAKES_MAX of them.
    """
    every = list(problems)
    return Refusal(422, in_one_line(every), mistakes(every[:MISTAKES_MAX]))


def wrong_parameter(name: str, detail: str) -> Refusal:
    """Return the error for a request whose query parameter or header `name` has a wrong value."""
    detail = hidden(detail)
    return Refusal(422, f"{name}: {detail}", [{"parameter": name, "detail": detail}])


def refusal_of_error(error: BeatError) -> Refusal:
    """Convert an error of an edit or of the store to an error response with a fitting status."""
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
