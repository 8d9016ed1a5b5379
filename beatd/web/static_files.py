"""Serve the style sheet and the script of the pages, with headers that let browsers cache them."""

from functools import cache
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER = Path(__file__).parent / "static"
KEEP_FOR_A_YEAR = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"
HASH_CHARS = 16


class StaticFile(Struct, frozen=True):
    """The content of a static file, with its hash and its media type."""

    content: bytes
    hash: str
    media_type: str


@cache
def static_files() -> dict[str, StaticFile]:
    """Return all static files by their relative path, such as "style.css"; the result is cached.

    The files are kept in memory, so that no path in a request is ever opened.
    """
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            media_type = guess_type(path.name)[0] or "application/octet-stream"
            found[path.relative_to(FOLDER).as_posix()] = StaticFile(
                content, sha256(content).hexdigest()[:HASH_CHARS], media_type
            )
    return found


def static_url(name: str) -> str:
    """Return the URL path of a static file, with a hash of its content to outdate browser caches.

    Raises KeyError if there is no such file.
    """
    return f"/static/{name}?v={static_files()[name].hash}"


async def _answer(request: Request) -> Response:
    file = static_files().get(request.path_params["name"])
    if file is None:
        raise HTTPException(404)
    etag = f'"{file.hash}"'
    current = request.query_params.get("v") == file.hash
    headers = {"ETag": etag, "Cache-Control": KEEP_FOR_A_YEAR if current else ASK_EACH_TIME}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media_type)


def routes() -> list[Route]:
    """Return the Starlette route of the static files."""
    return [Route("/static/{name:path}", _answer)]
