"""Send alert messages as webhooks, signed according to Standard Webhooks."""

import hmac
from base64 import b64decode, b64encode
from binascii import Error
from hashlib import sha256

from beatd.alerts.message import Message
from beatd.notifiers.http_request import TIMEOUT_S, request
from beatd.secret import channel_name

SECRET_PREFIX = "whsec_"  # of a secret that is base64


class Webhook:
    """Posts each message as JSON to one URL, signed with `secret` unless `secret` is empty."""

    def __init__(self, url: str, secret: str = "", *, timeout_s: float = TIMEOUT_S) -> None:
        self.shown = channel_name(url)
        self._url, self._key, self._timeout_s = url, key_of(secret), timeout_s

    def send(self, message: Message) -> None:
        """Post the message, or raise NotDelivered if that fails."""
        body = message.json()
        seconds = str(int(message.at.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "beatd",
            "webhook-id": message.id,
            "webhook-timestamp": seconds,
        }
        if self._key:
            headers["webhook-signature"] = signature(self._key, message.id, seconds, body)
        request(self._url, headers, body, self._timeout_s)


def key_of(secret: str) -> bytes:
    """Return the signing key of a secret: the text itself or, after "whsec_", decoded base64."""
    if secret.startswith(SECRET_PREFIX):
        try:
            return b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except Error:
            pass  # another program's secret, which only looks like one
    return secret.encode()


def signature(key: bytes, message_id: str, seconds: str, body: bytes) -> str:
    """Return the header `webhook-signature` for a message with this id, time and body."""
    signed = b".".join((message_id.encode(), seconds.encode(), body))
    return f"v1,{b64encode(hmac.digest(key, signed, sha256)).decode()}"
