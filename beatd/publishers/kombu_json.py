"""Encode messages as the JSON text that kombu writes to Redis."""

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring_ascii
from typing import Any

from kombu.utils.json import dumps

from beatd.publishers.message import (
    CeleryMessage,
    EntryFields,
    RunTemplate,
    TransportTemplate,
    kombu_message,
)
from beatd.publishers.placeholders import (
    ARGSREPR,
    BODY,
    KWARGSREPR,
    NAME,
    RUN,
    TAG,
    Gaps,
    RunGaps,
    Values,
)


def encoding_channel(transport: Any, options: dict[str, Any]) -> Any:
    """Return a kombu channel that can only encode messages, and needs no connection.

    `transport` is kombu's transport, and `options` are the broker's transport options.
    """
    channel = object.__new__(transport.Channel)
    channel.body_encoding = options.get("body_encoding", channel.body_encoding)
    return channel


def pack(channel: Any, celery_message: CeleryMessage) -> bytes:
    """Return a message as the JSON text that kombu would write to a queue."""
    return str(dumps(_message(channel, celery_message))).encode()


class KombuJson(TransportTemplate):
    """A message encoded once as JSON text, with gaps for values such as the task id."""

    def __init__(self, channel: Any, celery_message: CeleryMessage) -> None:
        self._channel = channel
        self._encoding = channel.body_encoding
        message = _message(channel, celery_message)
        message["properties"]["delivery_tag"] = TAG
        text = str(dumps(message)).encode()
        self._gaps = Gaps(text, (NAME, ARGSREPR, KWARGSREPR, message["body"]), RUN)

    def fill(self, fields: EntryFields) -> tuple[bytes, ...]:
        body, _ = self._channel.encode_body(fields.body, self._encoding)
        texts = (fields.name, fields.argsrepr, fields.kwargsrepr, body)
        return self._gaps.fill([encode_basestring_ascii(text)[1:-1].encode() for text in texts])

    def render(self, filled: tuple[bytes, ...], values: Values) -> bytes:
        return self._gaps.render(filled, values)


class KombuJsonOfRun(RunTemplate):
    """A message of one entry as JSON text, with gaps for the values of a run, also in the body."""

    def __init__(
        self, channel: Any, celery_message: CeleryMessage, places: Mapping[str, int]
    ) -> None:
        self._channel = channel
        message = _message(channel, celery_message)
        message["properties"]["delivery_tag"] = TAG
        message["body"] = BODY
        body = celery_message.body
        self._is_text = isinstance(body, str)
        self._body = RunGaps(body.encode() if isinstance(body, str) else bytes(body), places)
        before, after = str(dumps(message)).encode().split(BODY.encode())
        self._before, self._after = RunGaps(before, places), RunGaps(after, places)

    def render(self, values: Sequence[bytes]) -> bytes:
        raw = self._body.render(values)
        body = raw.decode() if self._is_text else raw
        text, _ = self._channel.encode_body(body, self._channel.body_encoding)
        encoded = encode_basestring_ascii(text)[1:-1].encode()
        return self._before.render(values) + encoded + self._after.render(values)


def _message(channel: Any, celery_message: CeleryMessage) -> dict[str, Any]:
    """Return a message as the dict that kombu would write to a queue as JSON."""
    message: dict[str, Any] = kombu_message(channel, celery_message)
    # basic_publish does this before it looks up the queue.
    channel._inplace_augment_message(message, celery_message.exchange, celery_message.routing_key)
    return message
