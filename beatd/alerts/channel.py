"""Channels, which send messages about incidents to people or programs."""

from typing import Protocol

from beatd.alerts.message import Message
from beatd.errors import BeatError


class NotDelivered(BeatError):
    """Raised when a message was not delivered. `is_final` is True if a retry would not help."""

    def __init__(self, text: str, *, is_final: bool = False) -> None:
        super().__init__(text)
        self.is_final = is_final


class Channel(Protocol):
    """Sends messages to one URL. `shown` is its name for people; it contains no secret."""

    shown: str

    def send(self, message: Message) -> None:
        """Deliver the message within a minute, or raise NotDelivered."""
