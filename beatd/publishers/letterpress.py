"""The press of wires that speak through a kombu channel: letters, filled in field by field."""

from typing import Any

from msgspec.structs import replace

from beatd.publishers.letter import Filling, Letter, Press, Stamp
from beatd.publishers.marks import (
    ARGSREPR,
    ETA,
    EXPIRATION,
    EXPIRES,
    ID,
    KWARGSREPR,
    NAME,
    PLANNED,
)


class LetterPress(Press):
    def __init__(self, letter: Letter) -> None:
        self._letter = letter
        headers = letter.headers
        self._once = {k: v for k, v in headers.items() if v in (NAME, ARGSREPR, KWARGSREPR)}
        self._headers = [k for k, v in headers.items() if v in (ID, PLANNED, ETA, EXPIRES)]
        self._properties = [k for k, v in letter.properties.items() if v in (ID, EXPIRATION)]

    def fill(self, filling: Filling) -> Letter:
        known = {
            NAME: filling.name,
            ARGSREPR: filling.argsrepr,
            KWARGSREPR: filling.kwargsrepr,
        }
        headers = {**self._letter.headers, **{k: known[v] for k, v in self._once.items()}}
        return replace(self._letter, headers=headers, body=filling.body)

    def stamp(self, filled: Letter, stamp: Stamp) -> Letter:
        known: dict[Any, str] = {
            ID: stamp.id,
            PLANNED: stamp.planned,
            ETA: stamp.eta,
            EXPIRES: stamp.expires,
            EXPIRATION: stamp.expiration,
        }
        headers = dict(filled.headers)
        for key in self._headers:
            headers[key] = known[headers[key]]
        properties = dict(filled.properties)
        for key in self._properties:
            properties[key] = known[properties[key]]
        return replace(filled, headers=headers, properties=properties)
