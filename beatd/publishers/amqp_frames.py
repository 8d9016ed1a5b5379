"""Encode messages as AMQP 0.9.1 frames, the bytes that RabbitMQ reads."""

from collections.abc import Mapping, Sequence
from struct import pack, unpack_from
from uuid import uuid4

import amqp
from amqp import spec
from amqp.serialization import dumps

from beatd.publishers.message import CeleryMessage, EntryFields, RunTemplate, TransportTemplate
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
    TRACE,
    TRACEPARENT,
    Gaps,
    RunGaps,
    Values,
)

FRAME_BODY_BYTES = 4096 - 8  # every broker accepts frames of this size
MARK = len(ID)
TABLE, SIZE, BODY_SIZE, BODIES = (str(uuid4()) for _ in range(4))


def frames(celery_message: CeleryMessage, channel: int) -> bytes:
    """Return one message as the AMQP frames that publish it on the channel with this number."""
    return before_body(celery_message, channel) + bodies(encoded(celery_message.body), channel)


class AmqpFrames(TransportTemplate):
    """An AMQP message that is encoded once, with gaps for values such as the task id.

    Filling a gap also updates the length fields around it.
    """

    def __init__(self, celery_message: CeleryMessage, channel: int) -> None:
        self._channel = channel
        written = properties(celery_message)
        table = _table_at(written)
        (self._table,) = unpack_from(">I", written, table)
        self._header = 12 + len(written)
        self._dies_next = EXPIRATION.encode() in written
        text = (
            method(celery_message, channel)
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
        # A long text is written as S, four bytes of length, and the text; a short one as one byte
        # of length and the text.
        for mark in (NAME, ARGSREPR, KWARGSREPR):
            before = len(text)
            text = text.replace(b"S" + pack(">I", MARK) + mark.encode(), mark.encode())
            taken = (before - len(text)) + MARK * text.count(mark.encode())
            self._table -= taken
            self._header -= taken
        lengths = {PLANNED: MOMENT, ETA: MOMENT, EXPIRES: MOMENT, TRACE: TRACEPARENT}
        for mark, length in lengths.items():
            long = b"S" + pack(">I", MARK) + mark.encode()
            there = text.count(long)
            text = text.replace(long, b"S" + pack(">I", length) + mark.encode())
            self._table -= there * (MARK - length)
            self._header -= there * (MARK - length)
        if self._dies_next:
            text = text.replace(pack(">B", MARK) + EXPIRATION.encode(), EXPIRATION.encode())
            self._header -= MARK + 1
        once = [NAME, ARGSREPR, KWARGSREPR, TABLE, BODY_SIZE, BODIES]
        later = list(RUN)
        (later if self._dies_next else once).append(SIZE)
        self._gaps = Gaps(text, once, later)

    def fill(self, fields: EntryFields) -> tuple[tuple[bytes, ...], int]:
        texts = [long_text(t) for t in (fields.name, fields.argsrepr, fields.kwargsrepr)]
        more = sum(map(len, texts))
        header = self._header + more
        body = encoded(fields.body)
        values = (
            *texts,
            pack(">I", self._table + more),
            pack(">Q", len(body)),
            bodies(body, self._channel),
            pack(">I", header),
        )
        return self._gaps.fill(values), header

    def render(self, filled: tuple[tuple[bytes, ...], int], values: Values) -> bytes:
        text, header = filled
        if not self._dies_next:
            return self._gaps.render(text, values)
        # Of the values of a run, only this one has no fixed length.
        at = RUN.index(EXPIRATION)
        expiration = pack(">B", len(values[at])) + values[at]
        size = pack(">I", header + len(expiration))
        return self._gaps.render(text, (*values[:at], expiration, *values[at + 1 :], size))


class FramesOfRun(RunTemplate):
    """The AMQP frames of a message of one entry, with gaps for the values of a run.

    No value changes the length of the message.
    """

    def __init__(
        self, celery_message: CeleryMessage, channel: int, places: Mapping[str, int]
    ) -> None:
        self._channel = channel
        self._before = RunGaps(before_body(celery_message, channel), places)
        self._body = RunGaps(encoded(celery_message.body), places)

    def render(self, values: Sequence[bytes]) -> bytes:
        return self._before.render(values) + bodies(self._body.render(values), self._channel)


def before_body(celery_message: CeleryMessage, channel: int) -> bytes:
    """Return the frames before the body: where the message goes, its properties and its size."""
    size = len(encoded(celery_message.body))
    header = pack(">HHQ", spec.Basic.Publish[0], 0, size) + properties(celery_message)
    return method(celery_message, channel) + frame(2, channel, header)


def method(celery_message: CeleryMessage, channel: int) -> bytes:
    """Return the AMQP frame that says where the message goes: its exchange and routing key."""
    # mandatory: the broker returns a message that no queue takes.
    arguments = dumps(
        "Bssbb", (0, celery_message.exchange, celery_message.routing_key, True, False)
    )
    return frame(1, channel, pack(">HH", *spec.Basic.Publish) + bytes(arguments))


def properties(celery_message: CeleryMessage) -> bytes:
    """Return the properties and headers of the message, encoded for an AMQP header frame."""
    message = amqp.Message(
        b"",
        priority=celery_message.priority,
        content_type=celery_message.content_type,
        content_encoding=celery_message.content_encoding,
        application_headers=dict(celery_message.headers),
        **celery_message.properties,
    )
    return bytes(message._serialize_properties())


def bodies(body: bytes, channel: int) -> bytes:
    """Return the body split into AMQP body frames, or b"" for an empty body."""
    starts = range(0, len(body), FRAME_BODY_BYTES)
    return b"".join(frame(3, channel, body[start : start + FRAME_BODY_BYTES]) for start in starts)


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    return pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def long_text(text: str) -> bytes:
    """Return the text as an AMQP long string: the letter S, four bytes of length, the text."""
    raw = text.encode()
    return b"S" + pack(">I", len(raw)) + raw


def encoded(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)


def _table_at(written: bytes) -> int:
    place = 2
    for _ in range(2):
        place += 1 + written[place]
    return place
