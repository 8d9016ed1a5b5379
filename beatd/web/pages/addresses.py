"""Build the URLs of pages, with their search filters and their position in a list."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from msgspec import Struct
from starlette.requests import Request

#: Pages that the link back remembers; before them only the first page is linked.
BACK_MAX = 12


class Pages(Struct, frozen=True):
    """The URLs of the first, previous and next page of a list; "" if there is no such page."""

    first: str
    back: str
    on: str


class Place(Struct, frozen=True):
    """The position of a page in a list that a store can only read forwards.

    `here` is where the page begins, "" for the first. `before` has the positions of the pages
    before it. The URL contains all of them, so a link back needs no search.
    """

    here: str = ""
    before: tuple[str, ...] = ()

    @classmethod
    def of(cls, request: Request) -> "Place":
        """Return the position in a list that the URL of a request contains."""
        fields = request.query_params
        return cls(fields.get("place", ""), tuple(fields.getlist("back"))[-BACK_MAX:])

    def pages(self, path: str, fields: Mapping[str, str], rest: str) -> Pages:
        """Return the URLs of the pages next to this one; `rest` is where the next page begins, or
        "".

        `fields` are the search filters, which each URL keeps.
        """
        first = address(path, fields)
        if not self.here:
            return Pages("", "", _at(path, fields, rest, ("",)) if rest else "")
        back = ""
        if self.before:
            back = _at(path, fields, self.before[-1], self.before[:-1])
        trail = (*self.before, self.here)[-BACK_MAX:]
        return Pages(first, back, _at(path, fields, rest, trail) if rest else "")


def address(path: str, fields: Mapping[str, str] | None = None, **more: str) -> str:
    """Return a URL path with those of the query parameters that are not empty."""
    pairs = {**(fields or {}), **more}
    query = urlencode([(key, value) for key, value in pairs.items() if value])
    return f"{path}?{query}" if query else path


def entry_path(name: str) -> str:
    """Return the URL path of the page about the entry `name`."""
    return f"/entries/{quote(name, safe='')}"


def _at(path: str, fields: Mapping[str, str], place: str, before: tuple[str, ...]) -> str:
    if not place:
        return address(path, fields)
    pairs = [(key, value) for key, value in fields.items() if value]
    pairs += [("back", one) for one in before] + [("place", place)]
    return f"{path}?{urlencode(pairs)}"
