"""A message on its way from celery to the broker, and the wire that takes it there."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from beatd.publisher import Outcome
from beatd.publishers.placeholders import Values
from beatd.secret import hidden

CONFIRMED = Outcome("confirmed")


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


class Route(Struct, frozen=True, eq=False):
    """Where letters go. One object per place, so that a batch is grouped by identity."""

    exchange: str
    routing_key: str
    priority: int | None
    declare: tuple[Any, ...]


class Message(Struct, frozen=True, gc=False):
    """A letter in the form its wire sends."""

    route: Route
    payload: Any
    id: str
    along: "tuple[Message, ...]" = ()  # events that tell of it


class Filling(Struct, frozen=True):
    """What differs between the entries of a form."""

    name: str
    argsrepr: str
    kwargsrepr: str
    body: bytes | str


class Press(Protocol):
    """A wire's own way to print many messages that are nearly the same."""

    def fill(self, filling: Filling) -> Any: ...

    def stamp(self, filled: Any, values: Values) -> Any:
        """The payload of one message, of what its run brings (`marks.RUN`)."""


class Wire(Protocol):
    """The way to one kind of broker: one connection, which it opens and replaces by itself."""

    def open(self) -> str:
        """Why the broker cannot be spoken to, or nothing; within the time-out."""

    def press(self, letter: Letter) -> Press | None:
        """A press for letters with marks in them, or None where they must go as they are."""

    def pack(self, letter: Letter) -> Any:
        """The payload of one letter."""

    def send(self, messages: Sequence[Message], may_go_on: Callable[[], bool]) -> list[Outcome]:
        """One outcome per message, in order, within the time-out; never raises."""

    why: str = ""  # `reachable` last said no; nothing when it said yes

    def reachable(self) -> bool: ...

    def close(self) -> None: ...


def one_line(error: BaseException) -> str:
    text = " ".join(hidden(str(error)).split())
    text = text.removeprefix("(0, 0): ")  # how amqp says: no method yet
    return text or type(error).__name__
