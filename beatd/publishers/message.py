"""The messages that go to a broker, and the protocol of the transports that send them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from beatd.publisher import Outcome
from beatd.publishers.placeholders import Values
from beatd.secret import hidden

CONFIRMED = Outcome("confirmed")


class CeleryMessage(Struct, frozen=True):
    """A message as celery passes it to kombu: serialised, with its destination, not yet encoded."""

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
    """Return the message in the form that kombu's basic_publish accepts.

    Its headers and properties may be changed without changing `celery_message`.
    """
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
    """The place where a message goes: exchange, routing key, priority, and queues to declare.

    Messages are grouped by the identity of this object, so equal destinations should share one
    object.
    """

    exchange: str
    routing_key: str
    priority: int | None
    declare: tuple[Any, ...]


class Message(Struct, frozen=True, gc=False):
    """A message ready to be sent.

    `payload` is the message as its transport sends it, and `id` is the task id in it. The first
    message of a group has the others in `rest`. A chord has `effects`: calls that write to the
    result backend what the workers count with, before the first message is sent.
    """

    route: Route
    payload: Any
    id: str
    along: "tuple[Message, ...]" = ()  # celery's events about this message
    rest: "tuple[Message, ...]" = ()
    effects: tuple[Callable[[], object], ...] = ()


class EntryFields(Struct, frozen=True):
    """The parts of a message that come from its entry: name, arguments as text, encoded body.

    All other parts are the same for entries with the same task and options.
    """

    name: str
    argsrepr: str
    kwargsrepr: str
    body: bytes | str


class TransportTemplate(Protocol):
    """An encoded message with gaps, which is filled in for each of many runs.

    `fill` sets the values of an entry, then `render` those of a run.
    """

    def fill(self, fields: EntryFields) -> Any:
        """Return the message with one entry's values, to which `render` adds those of a run."""

    def render(self, filled: Any, values: Values) -> Any:
        """Return the encoded message of one run.

        `filled` is a result of `fill`, and `values` are in the order of `placeholders.RUN`.
        """


class RunTemplate(Protocol):
    """An encoded message of one entry, with gaps for the values of a run, all of fixed length."""

    def render(self, values: Sequence[bytes]) -> Any:
        """Return the encoded message of one run."""


class Transport(Protocol):
    """Sends messages to one kind of broker over one connection.

    It connects again when the connection breaks.
    """

    def open(self) -> str:
        """Connect to the broker; return "" on success, or the reason why no message can be sent."""

    def transport_template(self, celery_message: CeleryMessage) -> TransportTemplate | None:
        """Return a template from which many similar messages are made, or None.

        `celery_message` has placeholders for the values of entries and runs. The result is None if
        the transport has no templates.
        """

    def run_template(
        self, celery_message: CeleryMessage, places: Mapping[str, int]
    ) -> RunTemplate | None:
        """Return a template of the message in which the texts in `places` are gaps, or None.

        `places` has for each text the place of the value that replaces it.
        """
        return None

    def pack(self, celery_message: CeleryMessage) -> Any:
        """Return the message encoded for this transport, for the field `payload` of a Message."""

    def send(self, messages: Sequence[Message], may_go_on: Callable[[], bool]) -> list[Outcome]:
        """Send the messages and return the outcome of each, in order; never raise an error.

        When the time-out is over or `may_go_on` returns False, the rest get the outcome "unsent".
        """

    why: str = ""  # why `reachable` was last False; empty if it was True

    def reachable(self) -> bool:
        """Return True if the broker answers in time; otherwise store the reason in `why`."""

    def close(self) -> None: ...


def one_line(error: BaseException) -> str:
    """Return the text of an error as one line without passwords.

    If the text is empty, return the name of the error's class.
    """
    text = " ".join(hidden(str(error)).split())
    text = text.removeprefix("(0, 0): ")  # amqp writes this where no method is known
    return text or type(error).__name__
