"""A message on its way from celery to the broker, and the transport that sends it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from beatd.publisher import Outcome
from beatd.publishers.placeholders import Values
from beatd.secret import hidden

CONFIRMED = Outcome("confirmed")


class CeleryMessage(Struct, frozen=True):
    """A message as celery passes it to kombu: serialised and routed, not yet encoded."""

    body: bytes | str
    content_type: str
    content_encoding: str
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    priority: int | None
    exchange: str
    routing_key: str
    declare: tuple[Any, ...]  # kombu queues and exchanges that must exist first


def kombu_message(channel: Any, celery_message: CeleryMessage) -> Any:
    """Return the message in the form that the kombu channel makes. The headers and properties are
    copies: to change them does not change `celery_message`."""
    return channel.prepare_message(
        celery_message.body,
        celery_message.priority,
        celery_message.content_type,
        celery_message.content_encoding,
        dict(celery_message.headers),
        # A channel changes the properties and the delivery_info in them.
        {**celery_message.properties, "delivery_info": {}},
    )


class Route(Struct, frozen=True, eq=False):
    """The destination of messages: exchange, routing key, priority, and queues to declare. Messages
    with the same destination share one Route object, because messages are grouped by the identity
    of their routes."""

    exchange: str
    routing_key: str
    priority: int | None
    declare: tuple[Any, ...]


class Message(Struct, frozen=True, gc=False):
    """A message that is ready to be sent. `payload` is the message as its transport encoded it, and
    `id` is the task id."""

    route: Route
    payload: Any
    id: str
    along: "tuple[Message, ...]" = ()  # celery's events about this message


class EntryFields(Struct, frozen=True):
    """The parts of a message that differ between entries of the same task and options. `argsrepr`
    and `kwargsrepr` are the arguments as text for people. `body` contains the arguments,
    serialised."""

    name: str
    argsrepr: str
    kwargsrepr: str
    body: bytes | str


class TransportTemplate(Protocol):
    """A template, encoded for one transport. A template is a message with gaps for the values that
    differ between entries and runs."""

    def fill(self, fields: EntryFields) -> Any:
        """Return the template with the fields of one entry filled in. Pass the result to `render`
        as `filled`."""

    def render(self, filled: Any, values: Values) -> Any:
        """Return the payload of one message. `filled` is a result of `fill`; the `values` of one
        run are filled in. They are in the order of `placeholders.RUN`."""


class Transport(Protocol):
    """Sends messages to one kind of broker over one connection. The transport opens the connection
    and replaces a broken one by itself."""

    def open(self) -> str:
        """Connect within the time-out. Return an empty text, or the reason why no message can be
        sent."""

    def transport_template(self, celery_message: CeleryMessage) -> TransportTemplate | None:
        """Return a template made of this message. The message has marks (random texts) for the
        values that differ between messages. Return None if the transport cannot make templates."""

    def pack(self, celery_message: CeleryMessage) -> Any:
        """Return the message encoded for this transport, as the `payload` of a Message."""

    def send(self, messages: Sequence[Message], may_go_on: Callable[[], bool]) -> list[Outcome]:
        """Send the messages within the time-out, and return one outcome for each, in order. Never
        raises an error. When the time is over, or when `may_go_on` returns False, the messages that
        are not yet sent get the outcome "unsent"."""

    why: str = ""  # why `reachable` was last False; empty if it was True

    def reachable(self) -> bool:
        """True if the broker answers within the time-out; `why` is then empty. False if not; `why`
        is then set to the reason."""

    def close(self) -> None: ...


def one_line(error: BaseException) -> str:
    """Return the text of an error in one line, with passwords hidden. Return the name of the
    error's class if the error has no text."""
    text = " ".join(hidden(str(error)).split())
    text = text.removeprefix("(0, 0): ")  # amqp writes this where no method is known
    return text or type(error).__name__
