"""Encode and decode the opaque cursors with which clients request the next page of a list."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TypeVar
from zlib import crc32

from msgspec import MsgspecError, json

from beatd.web.api.refusal import wrong_parameter

T = TypeVar("T")
CHECKSUM_BYTES = 4


def cursor_of(place: object) -> str:
    """Return an opaque cursor text for a position in a list; `place` is plain data or a struct."""
    content = json.encode(place)
    return urlsafe_b64encode(_checksum(content) + content).decode().rstrip("=")


def place_of(cursor: str, type: type[T]) -> T:
    """Decode a cursor to the position in a list that it stands for, as a value of `type`.

    Raises Refusal if the checksum of the cursor is wrong, because this API did not make it.
    """
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        content = raw[CHECKSUM_BYTES:]
        if raw[:CHECKSUM_BYTES] == _checksum(content):
            return json.decode(content, type=type)
    except (ValueError, MsgspecError):
        pass
    raise wrong_parameter("after", "is not a cursor; send the `next` of the page before")


def _checksum(content: bytes) -> bytes:
    return crc32(content).to_bytes(CHECKSUM_BYTES)
