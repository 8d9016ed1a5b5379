"""The addresses of pages, with their filters and their place in a list."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from msgspec import Struct
from starlette.requests import Request

#: Pages that the link back remembers; before them only the first page is linked.
BACK_MAX = 12


class Pages(Struct, frozen=True):
    """The links between the pages of a list; "" where there is no such page."""

    first: str
    back: str
    on: str


class Place(Struct, frozen=True):
    """The place of a page in a list that a store can only read forwards.

    `here` is the place where the page begins, "" for the first. `before` has the places of the
    pages that lead to it. The address of the page has all of them, so the link back needs no
    reading.
    """

    here: str = ""
    before: tuple[str, ...] = ()

    @classmethod
    def of(cls, request: Request) -> "Place":
        """Return the place that a request asks for."""
        fields = request.query_params
        return cls(fields.get("place", ""), tuple(fields.getlist("back"))[-BACK_MAX:])

    def pages(self, path: str, fields: Mapping[str, str], rest: str) -> Pages:
        """Return the links of this page; `rest` is the place of the next one, "" if there is none.

        `fields` are the filters, which each link keeps.
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
    """Return a path with those query fields that are not empty."""
    pairs = {**(fields or {}), **more}
    query = urlencode([(key, value) for key, value in pairs.items() if value])
    return f"{path}?{query}" if query else path


def entry_path(name: str) -> str:
    """Return the address of an entry's page."""
    return f"/entries/{quote(name, safe='')}"


def _at(path: str, fields: Mapping[str, str], place: str, before: tuple[str, ...]) -> str:
    if not place:
        return address(path, fields)
    pairs = [(key, value) for key, value in fields.items() if value]
    pairs += [("back", one) for one in before] + [("place", place)]
    return f"{path}?{urlencode(pairs)}"
