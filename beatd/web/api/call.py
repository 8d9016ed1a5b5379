"""The request that a handler of the API receives, with its parameters and body already checked."""

from datetime import datetime
from functools import cached_property
from typing import Any

from starlette.requests import Request

from beatd.changes import Author
from beatd.store import Roles
from beatd.web.site import Site
from beatd.web.visitor import Visitor, author_of, visitor_of


class Call:
    """A checked request to the API, as the handlers of operations receive it.

    `values` has the query parameters that were sent, by name. `body` is an object of the type that
    the operation declares for its body, or a dict.
    """

    def __init__(self, request: Request, values: dict[str, Any], body: Any) -> None:
        self.request, self.values, self.body = request, values, body
        self.site: Site = request.app.state.site

    @cached_property
    def store(self) -> Roles:
        """The open store of entries. Raises StoreError if the store cannot be reached."""
        return self.site.open_store()

    @cached_property
    def now(self) -> datetime:
        """The time of this request by the store's clock."""
        return self.site.now()

    @property
    def name(self) -> str:
        """The name of the entry that the path of the request contains."""
        name: str = self.request.path_params["name"]
        return name

    @property
    def note(self) -> str:
        """The query parameter `note`, a comment on the change; "" if it was not sent."""
        note: str = self.values.get("note", "")
        return note

    @property
    def visitor(self) -> Visitor:
        return visitor_of(self.request)

    def author(self, note: str = "") -> Author:
        """Return who makes the change that this request asks for, with a `note` about the
        reason."""
        return author_of(self.request, "api", note)

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None if it was not sent. Repeated headers are joined by
        commas."""
        values = self.request.headers.getlist(name)
        return ", ".join(values) if values else None
