"""A published message as AMQP 0.9.1 frames: method, header, body."""

from struct import pack, unpack_from
from uuid import uuid4

import amqp
from amqp import spec
from amqp.serialization import dumps

from beatd.publishers.message import Filling, Letter, Press
from beatd.publishers.placeholders import (
    ARGSREPR,
    ETA,
    EXPIRATION,
    EXPIRES,
    ID,
    KWARGSREPR,
    MOMENT,
    NAME,
    PLANNED,
    RUN,
    Gaps,
    Values,
)

ROOM = 4096 - 8  # of a body's frame: what every broker takes, whatever it was tuned to
MARK = len(ID)
TABLE, SIZE, BODY_SIZE, BODIES = (str(uuid4()) for _ in range(4))


def frames(letter: Letter, channel: int) -> bytes:
    body = encoded(letter.body)
    header = pack(">HHQ", spec.Basic.Publish[0], 0, len(body)) + properties(letter)
    return method(letter, channel) + frame(2, channel, header) + bodies(body, channel)


class FramePress(Press):
    """Texts in the header table carry their lengths, and so do the table and the frame."""

    def __init__(self, letter: Letter, channel: int) -> None:
        self._channel = channel
        written = properties(letter)
        table = _table_at(written)
        (self._table,) = unpack_from(">I", written, table)
        self._header = 12 + len(written)
        self._dies_next = EXPIRATION.encode() in written
        text = (
            method(letter, channel)
            + pack(">BH", 2, channel)
            + SIZE.encode()
            + pack(">HH", spec.Basic.Publish[0], 0)
            + BODY_SIZE.encode()
            + written[:table]
            + TABLE.encode()
            + written[table + 4 :]
            + b"\xce"
            + BODIES.encode()
        )
        # A long text is S, four bytes of length, itself; a short one is one byte and itself.
        for mark in (NAME, ARGSREPR, KWARGSREPR):
            before = len(text)
            text = text.replace(b"S" + pack(">I", MARK) + mark.encode(), mark.encode())
            taken = (before - len(text)) + MARK * text.count(mark.encode())
            self._table -= taken
            self._header -= taken
        for mark in (PLANNED, ETA, EXPIRES):
            long = b"S" + pack(">I", MARK) + mark.encode()
            there = text.count(long)
            text = text.replace(long, b"S" + pack(">I", MOMENT) + mark.encode())
            self._table -= there * (MARK - MOMENT)
            self._header -= there * (MARK - MOMENT)
        if self._dies_next:
            text = text.replace(pack(">B", MARK) + EXPIRATION.encode(), EXPIRATION.encode())
            self._header -= MARK + 1
        once = [NAME, ARGSREPR, KWARGSREPR, TABLE, BODY_SIZE, BODIES]
        later = list(RUN)
        (later if self._dies_next else once).append(SIZE)
        self._gaps = Gaps(text, once, later)

    def fill(self, filling: Filling) -> tuple[tuple[bytes, ...], int]:
        texts = [long_text(t) for t in (filling.name, filling.argsrepr, filling.kwargsrepr)]
        more = sum(map(len, texts))
        header = self._header + more
        body = encoded(filling.body)
        values = (
            *texts,
            pack(">I", self._table + more),
            pack(">Q", len(body)),
            bodies(body, self._channel),
            pack(">I", header),
        )
        return self._gaps.fill(values), header

    def stamp(self, filled: tuple[tuple[bytes, ...], int], values: Values) -> bytes:
        text, header = filled
        if not self._dies_next:
            return self._gaps.stamp(text, values)
        # The only value of a run whose length is its own.
        at = RUN.index(EXPIRATION)
        expiration = pack(">B", len(values[at])) + values[at]
        size = pack(">I", header + len(expiration))
        return self._gaps.stamp(text, (*values[:at], expiration, *values[at + 1 :], size))


def method(letter: Letter, channel: int) -> bytes:
    # mandatory: what no queue takes comes back, instead of vanishing.
    arguments = dumps("Bssbb", (0, letter.exchange, letter.routing_key, True, False))
    return frame(1, channel, pack(">HH", *spec.Basic.Publish) + bytes(arguments))


def properties(letter: Letter) -> bytes:
    message = amqp.Message(
        b"",
        priority=letter.priority,
        content_type=letter.content_type,
        content_encoding=letter.content_encoding,
        application_headers=dict(letter.headers),
        **letter.properties,
    )
    return bytes(message._serialize_properties())


def bodies(body: bytes, channel: int) -> bytes:
    starts = range(0, len(body), ROOM)
    return b"".join(frame(3, channel, body[start : start + ROOM]) for start in starts)


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    return pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def long_text(text: str) -> bytes:
    raw = text.encode()
    return b"S" + pack(">I", len(raw)) + raw


def encoded(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)


def _table_at(written: bytes) -> int:
    """Where the header table begins: after the flags, content type and content encoding."""
    place = 2
    for _ in range(2):
        place += 1 + written[place]
    return place
