"""A Starlette route for paths that contain the name of an entry, which may contain slashes."""

from typing import Any
from urllib.parse import unquote

from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

#: Stands for an encoded slash while the path is matched; no decoded text has it.
SLASH = "\udc2f"


class RawPathRoute(Route):
    """A Starlette route that distinguishes an encoded slash in a name from a slash between parts.

    "entries/a%2Fpause" is the entry "a/pause", and "entries/a/pause" the pause of the entry "a".
    """

    #: The methods of all routes with this path, for the answer to another method.
    allowed: tuple[str, ...] = ()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.methods and scope["method"] not in self.methods:
            raise HTTPException(405, headers={"Allow": ", ".join(self.allowed)})
        await super().handle(scope, receive, send)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Compare the route with the path as the client sent it, and return the path's
        parameters."""
        if scope["type"] != "http":
            return Match.NONE, {}
        match, found = super().matches({**scope, "path": _decoded(scope)})
        if "path_params" in found:
            found["path_params"] = {
                key: value.replace(SLASH, "/") if isinstance(value, str) else value
                for key, value in found["path_params"].items()
            }
        return match, found


def _decoded(scope: Scope) -> str:
    # Encoded slashes become SLASH.
    raw: Any = scope.get("raw_path")
    if not raw or b"%2" not in raw:
        path: str = scope["path"]
        return path
    text = raw.partition(b"?")[0].decode("latin-1")
    parts = text.replace("%2f", "%2F").split("%2F")
    return SLASH.join(unquote(part, errors="replace") for part in parts)
