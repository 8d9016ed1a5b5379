"""Assign the broker's confirms to the messages of a batch; no sockets are used here."""

from collections.abc import Mapping, Sequence
from typing import Any

from beatd.publisher import Outcome
from beatd.publishers.message import CONFIRMED, Message


class Confirms:
    """The outcomes of a batch's messages, each known by its place: its index in the batch.

    The broker names a message by its delivery tag. Tags count up on a channel, and one confirm may
    be for all tags up to its own.
    """

    def __init__(self) -> None:
        self.waiting: dict[int, int] = {}  # delivery tag -> place in the batch, oldest first
        self.ended: dict[int, Outcome] = {}  # by place
        self.returned: set[int] = set()  # places that no queue took
        self._tag = 0
        self._places: Mapping[str, int] = {}

    def begin(self, messages: Sequence[Message]) -> None:
        """Forget the batch before, and expect the outcomes of these messages."""
        self.waiting.clear()
        self.ended.clear()
        self.returned.clear()
        self._places = {message.id: place for place, message in enumerate(messages)}

    def new_channel(self) -> None:
        """Count delivery tags from one again, as a new channel does."""
        self._tag = 0
        self.waiting.clear()

    def written(self, place: int) -> None:
        """Assign the next delivery tag to the message at this place, which is about to be
        written."""
        self._tag += 1
        self.waiting[self._tag] = place

    def abandon(self, outcome: Outcome) -> None:
        """Set this outcome for all messages that wait for a confirm."""
        for place in self.waiting.values():
            self.ended[place] = outcome
        self.waiting.clear()

    def again(self, place: int) -> None:
        """Delete the outcome of a returned message, which is about to be sent once more."""
        self.returned.discard(place)
        del self.ended[place]

    # the channel calls these

    def on_ack(self, tag: int, multiple: bool) -> None:
        self._end(tag, multiple, CONFIRMED)

    def on_nack(self, tag: int, multiple: bool) -> None:
        self._end(tag, multiple, Outcome("unsent", "the broker said no (basic.nack)"))

    def on_return(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        """Set the outcome "rejected" for a message that the broker returned because no queue takes
        it; the confirm that follows is ignored."""
        place = self._places.get((message.headers or {}).get("id", ""))
        if place is not None:
            self.returned.add(place)
            where = f"exchange {exchange!r}, routing key {routing_key!r}"
            self.ended[place] = Outcome(
                "rejected", f"{error.reply_code} {error.reply_text}: {where}"
            )

    def _end(self, tag: int, multiple: bool, outcome: Outcome) -> None:
        """Set the outcome of the message with this tag or, if `multiple`, of all up to this tag."""
        if not multiple:
            place = self.waiting.pop(tag, None)
            if place is not None:
                self.ended.setdefault(place, outcome)
            return
        for older in list(self.waiting):
            if older > tag:
                break
            self.ended.setdefault(self.waiting.pop(older), outcome)
