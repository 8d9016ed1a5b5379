"""Marks that stand in a message for what differs, and bytes with gaps where they stood.

A message is made once, by celery and kombu, with marks in the place of ids and moments. What comes
out is cut at the marks; from then on a message is one joining of bytes.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from uuid import uuid4

# Random, so that no task's arguments can hold one by chance or on purpose.
NAME, ARGSREPR, KWARGSREPR, BODY = (str(uuid4()) for _ in range(4))
ID, PLANNED, ETA, EXPIRES, EXPIRATION, TAG = (str(uuid4()) for _ in range(6))

# What a run brings, in this order, as bytes.
RUN = (ID, PLANNED, ETA, EXPIRES, EXPIRATION, TAG)
Values = tuple[bytes, bytes, bytes, bytes, bytes, bytes]

MOMENT = len("2026-11-21T13:19:18.822423+08:00")  # every moment that is stamped is so long


class Gaps:
    """Bytes with two kinds of gaps: an entry's are filled once, a run's every time."""

    def __init__(self, text: bytes, once: Sequence[str], later: Sequence[str]) -> None:
        self._once = {mark.encode(): place for place, mark in enumerate(once)}
        self._later = {mark.encode(): place for place, mark in enumerate(later)}
        marks = b"|".join(re.escape(mark) for mark in (*self._once, *self._later))
        self._parts = re.split(b"(" + marks + b")", text)
        order = [self._later[part] for part in self._parts if part in self._later]
        # With one place only, itemgetter would give the value itself.
        self._pick: Callable[[Sequence[bytes]], Iterable[bytes]] = (
            itemgetter(*order) if len(order) > 1 else lambda values: [values[at] for at in order]
        )

    def fill(self, values: Sequence[bytes]) -> tuple[bytes, ...]:
        """Text and gap in turn, the gaps being a run's."""
        filled = [b""]
        for part in self._parts:
            if part in self._later:
                filled += (b"", b"")
            else:
                filled[-1] += values[self._once[part]] if part in self._once else part
        return tuple(filled)

    def stamp(self, filled: tuple[bytes, ...], values: Sequence[bytes]) -> bytes:
        stamped = list(filled)
        stamped[1::2] = self._pick(values)
        return b"".join(stamped)
