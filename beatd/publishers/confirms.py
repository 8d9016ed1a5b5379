"""Match the broker's confirms with the messages of a batch; this module uses no sockets."""

from collections.abc import Mapping, Sequence
from typing import Any

from beatd.publisher import MESSAGE_REFUSED, Outcome
from beatd.publishers.message import CONFIRMED, Message


class Confirms:
    """Keeps the outcomes of a batch's messages. It knows each message by its place, which is the
    index in the batch.

    The broker names a message by its delivery tag, a number that counts up on a channel. One
    confirm may be for all tags up to its own.
    """

    def __init__(self) -> None:
        self.waiting: dict[int, int] = {}  # delivery tag -> place in the batch, oldest first
        self.ended: dict[int, Outcome] = {}  # by place
        self.returned: set[int] = set()  # places that no queue took
        self._tag = 0
        self._places: Mapping[str, int] = {}

    def begin(self, messages: Sequence[Message]) -> None:
        """Forget the batch before, and start to keep the outcomes of these messages."""
        self.waiting.clear()
        self.ended.clear()
        self.returned.clear()
        self._places = {message.id: place for place, message in enumerate(messages)}

    def new_channel(self) -> None:
        """Count delivery tags from one again, as a new channel does."""
        self._tag = 0
        self.waiting.clear()

    def written(self, place: int) -> None:
        """Assign the next delivery tag to the message at `place`. Call this just before the message
        is written."""
        self._tag += 1
        self.waiting[self._tag] = place

    def abandon(self, outcome: Outcome) -> None:
        """Set `outcome` for every message that still waits for a confirm."""
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
        it. The confirm that follows does not change this outcome."""
        place = self._places.get((message.headers or {}).get("id", ""))
        if place is not None:
            self.returned.add(place)
            where = f"exchange {exchange!r}, routing key {routing_key!r}"
            self.ended[place] = Outcome(
                "rejected", f"{error.reply_code} {error.reply_text}: {where}"
            )

    def _end(self, tag: int, multiple: bool, outcome: Outcome) -> None:
        """Set the outcome of the message with this delivery tag or, if `multiple`, of all messages
        with a tag up to this one. An outcome that is already set stays."""
        if not multiple:
            place = self.waiting.pop(tag, None)
            if place is not None:
                self.ended.setdefault(place, outcome)
            return
        for older in list(self.waiting):
            if older > tag:
                break
            self.ended.setdefault(self.waiting.pop(older), outcome)
