"""Reuse one message of celery for many runs, for transports that send kombu messages."""

from msgspec.structs import replace

from beatd.publishers.message import CeleryMessage, EntryFields, TransportTemplate
from beatd.publishers.placeholders import ARGSREPR, KWARGSREPR, NAME, RUN, Values


class KombuTemplate(TransportTemplate):
    """A celery message that is filled in for many runs.

    `fill` sets the values of an entry, such as its name; `render` sets those of a run, such as its
    task id.
    """

    def __init__(self, celery_message: CeleryMessage) -> None:
        self._celery_message = celery_message
        headers, properties = celery_message.headers, celery_message.properties
        self._once = {k: v for k, v in headers.items() if v in (NAME, ARGSREPR, KWARGSREPR)}
        self._headers = {k: RUN.index(v) for k, v in headers.items() if v in RUN}
        self._properties = {k: RUN.index(v) for k, v in properties.items() if v in RUN}

    def fill(self, fields: EntryFields) -> CeleryMessage:
        known = {
            NAME: fields.name,
            ARGSREPR: fields.argsrepr,
            KWARGSREPR: fields.kwargsrepr,
        }
        headers = {**self._celery_message.headers, **{k: known[v] for k, v in self._once.items()}}
        return replace(self._celery_message, headers=headers, body=fields.body)

    def render(self, filled: CeleryMessage, values: Values) -> CeleryMessage:
        headers = {k: values[at].decode() for k, at in self._headers.items()}
        properties = {k: values[at].decode() for k, at in self._properties.items()}
        return replace(
            filled,
            headers={**filled.headers, **headers},
            properties={**filled.properties, **properties},
        )
