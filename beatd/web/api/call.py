"""A request to the API, with its values read and checked."""

from datetime import datetime
from functools import cached_property
from typing import Any

from starlette.requests import Request

from beatd.changes import Author
from beatd.store import Roles
from beatd.web.site import Site
from beatd.web.visitor import Visitor, author_of, visitor_of


class Call:
    """A request to the API.

    `values` are the parameters of the query by name; one that was not sent is missing. `body` is
    what the operation's type of the body reads, or a dict.
    """

    def __init__(self, request: Request, values: dict[str, Any], body: Any) -> None:
        self.request, self.values, self.body = request, values, body
        self.site: Site = request.app.state.site

    @cached_property
    def store(self) -> Roles:
        """The open store. Raises StoreError while it is away."""
        return self.site.open_store()

    @cached_property
    def now(self) -> datetime:
        """The moment at which the request is answered, by the store's clock."""
        return self.site.now()

    @property
    def name(self) -> str:
        """The name of the entry in the path."""
        name: str = self.request.path_params["name"]
        return name

    @property
    def note(self) -> str:
        """The parameter `note` of the query, or ""."""
        note: str = self.values.get("note", "")
        return note

    @property
    def visitor(self) -> Visitor:
        return visitor_of(self.request)

    def author(self, note: str = "") -> Author:
        """Return the author of a change that this request makes."""
        return author_of(self.request, "api", note)

    def header(self, name: str) -> str | None:
        """Return a header, or None if it was not sent. Several of one name are one list."""
        values = self.request.headers.getlist(name)
        return ", ".join(values) if values else None
