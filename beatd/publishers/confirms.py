"""The broker's confirms of the messages of a batch; no sockets are used here."""

from collections.abc import Mapping, Sequence
from typing import Any

from beatd.publisher import Outcome
from beatd.publishers.message import CONFIRMED, Message


class Confirms:
    """Outcomes by delivery tag: tags count up on a channel, and one confirm may end several."""

    def __init__(self) -> None:
        self.waiting: dict[int, int] = {}  # delivery tag -> place in the batch, oldest first
        self.ended: dict[int, Outcome] = {}  # by place
        self.returned: set[int] = set()  # places that no queue took
        self._tag = 0
        self._places: Mapping[str, int] = {}

    def begin(self, messages: Sequence[Message]) -> None:
        self.waiting.clear()
        self.ended.clear()
        self.returned.clear()
        self._places = {message.id: place for place, message in enumerate(messages)}

    def new_channel(self) -> None:
        self._tag = 0
        self.waiting.clear()

    def written(self, place: int) -> None:
        self._tag += 1
        self.waiting[self._tag] = place

    def abandon(self, outcome: Outcome) -> None:
        for place in self.waiting.values():
            self.ended[place] = outcome
        self.waiting.clear()

    def again(self, place: int) -> None:
        self.returned.discard(place)
        del self.ended[place]

    # the channel calls these

    def on_ack(self, tag: int, multiple: bool) -> None:
        self._end(tag, multiple, CONFIRMED)

    def on_nack(self, tag: int, multiple: bool) -> None:
        self._end(tag, multiple, Outcome("unsent", "the broker said no (basic.nack)"))

    def on_return(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        """Set the outcome of a message that no queue took; its later confirm is ignored."""
        place = self._places.get((message.headers or {}).get("id", ""))
        if place is not None:
            self.returned.add(place)
            where = f"exchange {exchange!r}, routing key {routing_key!r}"
            self.ended[place] = Outcome(
                "rejected", f"{error.reply_code} {error.reply_text}: {where}"
            )

    def _end(self, tag: int, multiple: bool, outcome: Outcome) -> None:
        if not multiple:
            place = self.waiting.pop(tag, None)
            if place is not None:
                self.ended.setdefault(place, outcome)
            return
        for older in list(self.waiting):
            if older > tag:
                break
            self.ended.setdefault(self.waiting.pop(older), outcome)
