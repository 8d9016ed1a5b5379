"""A message as celery hands it over, and the wire that takes it to the broker."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from beatd.publisher import Outcome


class Letter(Struct, frozen=True):
    """What celery asks kombu to send: serialised, routed, and not yet in a transport's form."""

    body: bytes | str
    content_type: str
    content_encoding: str
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    priority: int | None
    exchange: str
    routing_key: str
    declare: tuple[Any, ...]  # kombu queues and exchanges that must be there before
    mandatory: bool = False


class Wire(Protocol):
    """The way to one kind of broker; one connection, which it opens and replaces by itself."""

    def send(self, letters: Sequence[Letter], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        """One outcome per letter, in order, within the time-out; never raises."""

    def reachable(self) -> bool: ...

    def close(self) -> None: ...
