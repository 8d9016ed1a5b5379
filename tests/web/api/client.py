"""A client of the API, and the answers that it gets."""

import json
from typing import Any, NamedTuple
from urllib.parse import quote

from beatd.web.http_server import HttpServer
from tests.web.site import SECRETS, ask

#: A visitor of each role, by their tokens.
VIEWER, OPERATOR, EDITOR = "vera", "otto", "edna"
NOTHING: Any = object()


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Any

    @property
    def etag(self) -> str:
        return self.headers["ETag"]

    @property
    def mistakes(self) -> list[tuple[str, str]]:
        """Where each mistake is, and what it is."""
        return [
            (one.get("pointer", one.get("parameter")), one["detail"]) for one in self.body["errors"]
        ]


def entry(name: str) -> str:
    """Return the path of an entry, with each slash and letter of its name encoded."""
    return f"entries/{quote(name, safe='')}"


class Client:
    """Sends requests to a server, as an editor unless `by` is somebody else, or None: nobody."""

    def __init__(self, server: HttpServer) -> None:
        self.server = server

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = NOTHING,
        *,
        by: str | None = EDITOR,
        text: bytes | None = None,
        **headers: str,
    ) -> Answer:
        if body is not NOTHING:
            text = json.dumps(body).encode()
        if text is not None:
            headers.setdefault("Content_Type", "application/json")
        answer = ask(
            self.server,
            f"/api/v1/{path}",
            method,
            body=text,
            token=None if by is None else SECRETS[by],
            **headers,
        )
        return Answer(answer.status, json.loads(answer.text or "null"), answer.headers)

    def get(self, path: str, **headers: Any) -> Any:
        """Return the JSON at the path; it must be there."""
        answer = self("GET", path, **headers)
        assert answer.status == 200, answer
        return answer.body

    def create(self, name: str, **fields: Any) -> str:
        """Create an entry, and return its ETag."""
        plain = {"task": "proj.tidy", **({} if fields else {"every": "5m"}), **fields}
        answer = self("PUT", entry(name), plain, If_None_Match="*")
        assert answer.status == 201, answer
        return answer.etag

    def pages(self, path: str) -> list[Any]:
        """Return the items of all pages."""
        found: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            after = f"&after={quote(cursor)}" if cursor else ""
            page = self.get(f"{path}{after}")
            found += page["items"]
            cursor = page["next"]
        return found
