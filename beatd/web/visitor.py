"""The visitor who sends a request, and the role that a handler needs."""

from collections.abc import Callable
from functools import wraps
from typing import Literal, get_args

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from beatd.changes import Author, Via

#: Each role may also do what the roles before it may do.
Role = Literal["viewer", "operator", "editor"]
ROLES: tuple[Role, ...] = get_args(Role)

Handler = Callable[[Request], Response]


class Visitor(Struct, frozen=True):
    """The person or program that sends a request, and its role.

    `name` is "" if nobody signed in. `by_token` is True for a bearer token, or a cookie that a
    token was exchanged for.
    """

    name: str
    role: Role
    by_token: bool = False

    def may(self, role: Role) -> bool:
        """Return True if this visitor has `role` or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)


def visitor_of(request: Request) -> Visitor:
    """Return the visitor who sends this request."""
    visitor: Visitor = request.state.visitor
    return visitor


def needs(role: Role) -> Callable[[Handler], Handler]:
    """Return a decorator for handlers that answers 403 to visitors without `role`.

    The handler is a plain function, which runs on one of the server's few threads.
    """

    def guard(handler: Handler) -> Handler:
        @wraps(handler)
        def guarded(request: Request) -> Response:
            visitor = visitor_of(request)
            if not visitor.may(role):
                who = f"{visitor.name} is {visitor.role}" if visitor.name else "nobody signed in"
                raise HTTPException(403, f"this needs the role {role}; {who}")
            return handler(request)

        guarded.needs = role  # type: ignore[attr-defined]  # a test reads it
        return guarded

    return guard


def author_of(request: Request, via: Via, note: str = "") -> Author:
    """Return the author of a change that this request makes, such as "ann (token)"."""
    visitor = visitor_of(request)
    return Author(f"{visitor.name} (token)" if visitor.by_token else visitor.name, via, note)
