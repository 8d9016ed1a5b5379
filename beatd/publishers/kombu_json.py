"""The one form that messages take in all of kombu's virtual transports: a JSON text."""

import json
from collections.abc import Mapping
from typing import Any

from kombu.utils.json import dumps

from beatd.publishers.letter import Filling, Letter, Press, Stamp
from beatd.publishers.marks import (
    ARGSREPR,
    BODY,
    ETA,
    EXPIRATION,
    EXPIRES,
    ID,
    KWARGSREPR,
    NAME,
    PLANNED,
    TAG,
    Gaps,
)


def pack(channel: Any, letter: Letter) -> bytes:
    """What the channel's basic_publish would put on a queue."""
    return str(dumps(_message(channel, letter))).encode()


class JsonPress(Press):
    def __init__(self, channel: Any, letter: Letter) -> None:
        self._channel = channel
        self._encoding = channel.body_encoding
        message = _message(channel, letter)
        message["properties"]["delivery_tag"] = TAG
        self._gaps = Gaps(
            str(dumps(message)).encode(),
            _places(NAME, ARGSREPR, KWARGSREPR, message["body"]),
            _places(ID, PLANNED, ETA, EXPIRES, EXPIRATION, TAG),
        )

    def fill(self, filling: Filling) -> bytes:
        body, _ = self._channel.encode_body(filling.body, self._encoding)
        texts = (filling.name, filling.argsrepr, filling.kwargsrepr, body)
        return self._gaps.fill(tuple(json.dumps(text)[1:-1].encode() for text in texts))

    def stamp(self, filled: bytes, stamp: Stamp) -> bytes:
        return self._gaps.stamp(
            filled,
            (
                stamp.id.encode(),
                stamp.planned.encode(),
                stamp.eta.encode(),
                stamp.expires.encode(),
                stamp.expiration.encode(),
                stamp.tag.encode(),
            ),
        )


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


def _places(*marks: str) -> Mapping[bytes, int]:
    return {mark.encode(): place for place, mark in enumerate(marks)}


__all__ = ["BODY", "JsonPress", "pack"]
