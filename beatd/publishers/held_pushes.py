"""Pushes that are on their way before their moment: all of a command but its last message."""

from collections.abc import Callable, Sequence
from time import sleep
from typing import Any

import redis

from beatd.publisher import Outcome
from beatd.publishers.message import CONFIRMED, Message, Wire, one_line
from beatd.publishers.redis_refusals import is_refusal, refusal
from beatd.servers.redis import Begun

# Seconds. Workers wake up to these messages: on a small machine what is left to do here, the record
# above all, would take the processor that they need.
GIVE_WAY = 0.0005


class HeldPushes:
    """Each push has a connection of its own, where Redis waits for the end of the command."""

    def __init__(self, wire: Wire, messages: Sequence[Message]) -> None:
        self._wire, self._messages = wire, messages
        self._begun: list[tuple[Begun, list[int]]] = []

    def begin(self, pool: Any, key: str, places: list[int]) -> None:
        begun = Begun(pool)
        # The leftmost is popped last: one command keeps their order as one by one would.
        payloads = [self._messages[place].payload for place in places[:-1]]
        begun.send("LPUSH", key, *payloads, more=1)
        self._begun.append((begun, places))

    def send(self, may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        if any(begun.heard() for begun, _ in self._begun):
            self.drop()
            return self._wire.send(self._messages, may_go_on)
        outcomes: list[Outcome] = [CONFIRMED] * len(self._messages)
        replies = list[tuple[Callable[[], Any], list[int]]]()
        for begun, places in self._begun:
            last = self._messages[places[-1]].payload
            try:
                replies.append((begun.finish(last), places))
            except (redis.RedisError, OSError) as error:
                unknown(outcomes, places, error)
        for reply, places in replies:
            try:
                reply()
            except redis.ResponseError as error:
                settle_all(outcomes, places, refusal(error))
            except (redis.RedisError, OSError) as error:
                unknown(outcomes, places, error)
        self._begun = []
        sleep(GIVE_WAY)
        return outcomes

    def drop(self) -> None:
        for begun, _ in self._begun:
            begun.drop()
        self._begun = []


def unknown(outcomes: list[Outcome], places: Sequence[int], error: Exception) -> None:
    sent = Outcome("unsent" if is_refusal(error) else "unknown", one_line(error))
    settle_all(outcomes, places, sent)


def settle_all(outcomes: list[Outcome], places: Sequence[int], outcome: Outcome) -> None:
    for place in places:
        outcomes[place] = outcome
