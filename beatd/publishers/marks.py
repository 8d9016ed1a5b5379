"""Marks that stand in a message for what differs, and bytes with gaps where they stood.

A message is made once, by celery and kombu, with marks in the place of ids and moments. What comes
out is cut at the marks; from then on a message is one formatting of bytes.
"""

import re
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any
from uuid import uuid4

# Random, so that no task's arguments can hold one by chance or on purpose.
NAME, ARGSREPR, KWARGSREPR, BODY = (str(uuid4()) for _ in range(4))
ID, PLANNED, ETA, EXPIRES, EXPIRATION, TAG = (str(uuid4()) for _ in range(6))

MOMENT = len("2026-11-21T13:19:18.822423+08:00")  # every moment that is stamped is so long


Picked = Callable[[tuple[bytes, ...]], Any]


class Gaps:
    """Bytes with two kinds of gaps: an entry's are filled once, a run's every time."""

    def __init__(self, text: bytes, once: Mapping[bytes, int], later: Mapping[bytes, int]) -> None:
        first: list[int] = []
        second: list[int] = []
        parts: list[bytes] = []
        marks = b"|".join(re.escape(mark) for mark in (*once, *later))
        for part in re.split(b"(" + marks + b")", text):
            if part in once:
                first.append(once[part])
                parts.append(b"%b")
            elif part in later:
                second.append(later[part])
                parts.append(b"%%b")
            else:
                parts.append(part.replace(b"%", b"%%%%"))
        self._text = b"".join(parts)
        self._first: Picked = picked(first)
        self._second: Picked = picked(second)

    def fill(self, values: tuple[bytes, ...]) -> bytes:
        text: bytes = self._text % self._first(
            tuple(value.replace(b"%", b"%%") for value in values)
        )
        return text

    def stamp(self, filled: bytes, values: tuple[bytes, ...]) -> bytes:
        text: bytes = filled % self._second(values)
        return text


def picked(places: list[int]) -> Picked:
    return itemgetter(*places) if places else lambda values: ()
