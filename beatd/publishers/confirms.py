"""Match the broker's confirms with the messages of a batch. This module uses no sockets."""

from collections.abc import Mapping, Sequence
from typing import Any

from beatd.publisher import MESSAGE_REFUSED, Outcome
from beatd.publishers.message import CONFIRMED, Message


class Confirms:
    """Stores the outcome of each message of a batch. The message is identified by its place, which
    is its index in the batch.

    The broker identifies a message by its delivery tag, a number that counts up on a channel. One
    confirm of the broker may be for all tags up to its own.
    """

    def __init__(self) -> None:
        self.waiting: dict[int, int] = {}  # delivery tag -> place in the batch, oldest first
        self.ended: dict[int, Outcome] = {}  # by place
        self.returned: set[int] = set()  # places that no queue took
        self._tag = 0
        self._places: Mapping[str, int] = {}

    def begin(self, messages: Sequence[Message]) -> None:
        """Delete all data of the previous batch, and prepare to store the outcomes of these
        messages."""
        self.waiting.clear()
        self.ended.clear()
        self.returned.clear()
        self._places = {message.id: place for place, message in enumerate(messages)}

    def new_channel(self) -> None:
        """Restart the delivery tags at 1, as the broker does on a new channel. No message waits for
        a confirm after this call."""
        self._tag = 0
        self.waiting.clear()

    def written(self, place: int) -> None:
        """Assign the next delivery tag to the message at `place`. Call this just before the message
        is written."""
        self._tag += 1
        self.waiting[self._tag] = place

    def abandon(self, outcome: Outcome) -> None:
        """Set `outcome` for every message that still waits for a confirm. No message waits after
        this call."""
        for place in self.waiting.values():
            self.ended[place] = outcome
        self.waiting.clear()

    def again(self, place: int) -> None:
        """Delete the outcome of the returned message at `place`, so that the message can be sent
        once more."""
        self.returned.discard(place)
        del self.ended[place]

    # the channel calls these

    def on_ack(self, tag: int, multiple: bool) -> None:
        self._end(tag, multiple, CONFIRMED)

    def on_nack(self, tag: int, multiple: bool) -> None:
        self._end(tag, multiple, Outcome("unsent", MESSAGE_REFUSED))

    def on_return(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        """Set the outcome "rejected" for a message that the broker returned because no queue takes
        the message. The confirm that follows does not change this outcome."""
        place = self._places.get((message.headers or {}).get("id", ""))
        if place is not None:
            self.returned.add(place)
            where = f"exchange {exchange!r}, routing key {routing_key!r}"
            self.ended[place] = Outcome(
                "rejected", f"{error.reply_code} {error.reply_text}: {where}"
            )

    def _end(self, tag: int, multiple: bool, outcome: Outcome) -> None:
        """Set the outcome of the message with this delivery tag. If `multiple` is True, set the
        outcome of all messages with a tag up to this one. An outcome that is already set is not
        changed."""
        if not multiple:
            place = self.waiting.pop(tag, None)
            if place is not None:
                self.ended.setdefault(place, outcome)
            return
        for older in list(self.waiting):
            if older > tag:
                break
            self.ended.setdefault(self.waiting.pop(older), outcome)
