"""Marks (random texts) in a message for the parts that differ, and bytes with gaps in their place.

Celery and kombu make one message with marks in the place of ids and moments. The bytes of this
message are cut at the marks; from then on, making a message means joining bytes.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from uuid import uuid4

# The marks are random: no arguments of a task hold one by chance or on purpose.
NAME, ARGSREPR, KWARGSREPR, BODY = (str(uuid4()) for _ in range(4))
ID, PLANNED, ETA, EXPIRES, EXPIRATION, TAG = (str(uuid4()) for _ in range(6))

# The marks of the values of a run, in the order of `Values`.
RUN = (ID, PLANNED, ETA, EXPIRES, EXPIRATION, TAG)
Values = tuple[bytes, bytes, bytes, bytes, bytes, bytes]

MOMENT = len("2026-11-21T13:19:18.822423+08:00")  # the length of every moment in a message


class Gaps:
    """The bytes of a message with two kinds of gaps. `once` names the marks of the gaps that are
    filled once for each entry; `later` names those that are filled for each run of the entry."""

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
        """Fill in the values of one entry, in the order of `once`. Return the bytes, cut at the
        gaps of a run, with an empty part for each of these gaps."""
        filled = [b""]
        for part in self._parts:
            if part in self._later:
                filled += (b"", b"")
            else:
                filled[-1] += values[self._once[part]] if part in self._once else part
        return tuple(filled)

    def render(self, filled: tuple[bytes, ...], values: Sequence[bytes]) -> bytes:
        """Return the bytes of one message: `filled`, which `fill` returned, with the values of a
        run, in the order of `later`, in its gaps."""
        rendered = list(filled)
        rendered[1::2] = self._pick(values)
        return b"".join(rendered)
