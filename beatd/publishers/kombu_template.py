"""The press of wires that speak through a kombu channel: letters, filled in field by field."""

from msgspec.structs import replace

from beatd.publishers.message import Filling, Letter, Press
from beatd.publishers.placeholders import ARGSREPR, KWARGSREPR, NAME, RUN, Values


class LetterPress(Press):
    def __init__(self, letter: Letter) -> None:
        self._letter = letter
        headers, properties = letter.headers, letter.properties
        self._once = {k: v for k, v in headers.items() if v in (NAME, ARGSREPR, KWARGSREPR)}
        self._headers = {k: RUN.index(v) for k, v in headers.items() if v in RUN}
        self._properties = {k: RUN.index(v) for k, v in properties.items() if v in RUN}

    def fill(self, filling: Filling) -> Letter:
        known = {
            NAME: filling.name,
            ARGSREPR: filling.argsrepr,
            KWARGSREPR: filling.kwargsrepr,
        }
        headers = {**self._letter.headers, **{k: known[v] for k, v in self._once.items()}}
        return replace(self._letter, headers=headers, body=filling.body)

    def stamp(self, filled: Letter, values: Values) -> Letter:
        headers = {k: values[at].decode() for k, at in self._headers.items()}
        properties = {k: values[at].decode() for k, at in self._properties.items()}
        return replace(
            filled,
            headers={**filled.headers, **headers},
            properties={**filled.properties, **properties},
        )
