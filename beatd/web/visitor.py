"""The sender of a request, and the check that it has the role that a handler requires."""

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
    """The person or program that sends a request, and its role, which decides what it may do.

    `name` is "" if nobody signed in. `by_token` is True if a token, or a session cookie made for
    one, came with the request.
    """

    name: str
    role: Role
    by_token: bool = False

    def may(self, role: Role) -> bool:
        """Return True if this visitor has the role `role`, or a role with more rights."""
        return ROLES.index(self.role) >= ROLES.index(role)


def visitor_of(request: Request) -> Visitor:
    """Return the person or program that sends this request."""
    visitor: Visitor = request.state.visitor
    return visitor


def needs(role: Role) -> Callable[[Handler], Handler]:
    """Return a decorator that makes a handler respond with 403 to visitors without the role.

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
    """Return who makes the change that a request asks for, such as "ann (token)", for its
    record."""
    visitor = visitor_of(request)
    return Author(f"{visitor.name} (token)" if visitor.by_token else visitor.name, via, note)
