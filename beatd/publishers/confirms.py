"""Match the confirms of RabbitMQ with the messages of a batch; without any network access."""

from collections.abc import Mapping, Sequence
from typing import Any

from beatd.publisher import MESSAGE_REFUSED, Outcome
from beatd.publishers.message import CONFIRMED, Message


class Confirms:
    """Collects RabbitMQ's answer to each message of a batch.

    RabbitMQ numbers the messages of a channel by delivery tags; this class maps each tag to the
    message's index in the batch.
    """

    def __init__(self) -> None:
        self.waiting: dict[int, int] = {}  # delivery tag -> place in the batch, oldest first
        self.ended: dict[int, Outcome] = {}  # by place
        self.returned: set[int] = set()  # places that no queue took
        self._tag = 0
        self._places: Mapping[str, int] = {}

    def begin(self, messages: Sequence[Message]) -> None:
        """Start a new batch with these messages, and delete the outcomes of the previous batch."""
        self.waiting.clear()
        self.ended.clear()
        self.returned.clear()
        self._places = {message.id: place for place, message in enumerate(messages)}

    def new_channel(self) -> None:
        """Begin again with delivery tag 1 on a new channel, and await no answer of the old one."""
        self._tag = 0
        self.waiting.clear()

    def written(self, place: int) -> None:
        """Assign the next delivery tag to the message at index `place`, which is written next."""
        self._tag += 1
        self.waiting[self._tag] = place

    def abandon(self, outcome: Outcome) -> None:
        """Set `outcome` for every message that still waits for a confirm, and stop waiting."""
        for place in self.waiting.values():
            self.ended[place] = outcome
        self.waiting.clear()

    def again(self, place: int) -> None:
        """Delete the outcome of the message at index `place`, so that it can be sent once more."""
        self.returned.discard(place)
        del self.ended[place]

    # the channel calls these

    def on_ack(self, tag: int, multiple: bool) -> None:
        self._end(tag, multiple, CONFIRMED)

    def on_nack(self, tag: int, multiple: bool) -> None:
        self._end(tag, multiple, Outcome("unsent", MESSAGE_REFUSED))

    def on_return(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        """Set the outcome "rejected" for a message that no queue accepts.

        RabbitMQ has returned the message. A later confirm of it does not change this.
        """
        place = self._places.get((message.headers or {}).get("id", ""))
        if place is not None:
            self.returned.add(place)
            where = f"exchange {exchange!r}, routing key {routing_key!r}"
            self.ended[place] = Outcome(
                "rejected", f"{error.reply_code} {error.reply_text}: {where}"
            )

    def _end(self, tag: int, multiple: bool, outcome: Outcome) -> None:
        # `multiple`: all messages up to this tag. An outcome that is already set stays.
        if not multiple:
            place = self.waiting.pop(tag, None)
            if place is not None:
                self.ended.setdefault(place, outcome)
            return
        for older in list(self.waiting):
            if older > tag:
                break
            self.ended.setdefault(self.waiting.pop(older), outcome)
