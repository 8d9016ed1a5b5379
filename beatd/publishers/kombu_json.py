"""The one form that messages take in all of kombu's virtual transports: a JSON text."""

from json.encoder import encode_basestring_ascii
from typing import Any

from kombu.utils.json import dumps

from beatd.publishers.message import Filling, Letter, Press
from beatd.publishers.placeholders import ARGSREPR, KWARGSREPR, NAME, RUN, TAG, Gaps, Values


def stencil(transport: Any, options: dict[str, Any]) -> Any:
    """As much of a transport's channel as it takes to write a message, without a connection."""
    channel = object.__new__(transport.Channel)
    channel.body_encoding = options.get("body_encoding", channel.body_encoding)
    return channel


def pack(channel: Any, letter: Letter) -> bytes:
    """What the channel's basic_publish would put on a queue."""
    return str(dumps(_message(channel, letter))).encode()


class JsonPress(Press):
    def __init__(self, channel: Any, letter: Letter) -> None:
        self._channel = channel
        self._encoding = channel.body_encoding
        message = _message(channel, letter)
        message["properties"]["delivery_tag"] = TAG
        text = str(dumps(message)).encode()
        self._gaps = Gaps(text, (NAME, ARGSREPR, KWARGSREPR, message["body"]), RUN)

    def fill(self, filling: Filling) -> tuple[bytes, ...]:
        body, _ = self._channel.encode_body(filling.body, self._encoding)
        texts = (filling.name, filling.argsrepr, filling.kwargsrepr, body)
        return self._gaps.fill([encode_basestring_ascii(text)[1:-1].encode() for text in texts])

    def stamp(self, filled: tuple[bytes, ...], values: Values) -> bytes:
        return self._gaps.stamp(filled, values)


def _message(channel: Any, letter: Letter) -> dict[str, Any]:
    message: dict[str, Any] = channel.prepare_message(
        letter.body,
        letter.priority,
        letter.content_type,
        letter.content_encoding,
        dict(letter.headers),
        {**letter.properties, "delivery_info": {}},
    )
    # The step of basic_publish that comes before the queue is looked up.
    channel._inplace_augment_message(message, letter.exchange, letter.routing_key)
    return message
