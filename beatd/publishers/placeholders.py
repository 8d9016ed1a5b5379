"""Cut the bytes of a message at marks, and fill values into the gaps.

A mark is a random text in the place of a value that differs between messages, such as an id or a
moment. Celery and kombu make one message with marks, and the bytes of this message are cut at the
marks. Every later message is made by joining bytes, which is fast.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from uuid import uuid4

# The marks are random: no arguments of a task hold one by chance or on purpose.
NAME, ARGSREPR, KWARGSREPR, BODY = (str(uuid4()) for _ in range(4))
ID, PLANNED, ETA, EXPIRES, EXPIRATION, TAG, TRACE = (str(uuid4()) for _ in range(7))

# The marks of the values of a run, in the order of `Values`.
RUN = (ID, PLANNED, ETA, EXPIRES, EXPIRATION, TAG, TRACE)
Values = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes]

MOMENT = len("2026-11-21T13:19:18.822423+08:00")  # the length of every moment in a message
TRACEPARENT = len(f"00-{32 * '0'}-{16 * '0'}-01")


class Gaps:
    """The bytes of a message, with gaps in the place of marks (random texts). `once` lists the
    marks whose gaps are filled once for each entry. `later` lists the marks whose gaps are filled
    for each run of the entry."""

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
        """Return the bytes with the values of one entry filled in, cut at the gaps that remain for
        a run. `values` are in the order of `once`. Every second part of the result is empty and
        stands for a remaining gap."""
        filled = [b""]
        for part in self._parts:
            if part in self._later:
                filled += (b"", b"")
            else:
                filled[-1] += values[self._once[part]] if part in self._once else part
        return tuple(filled)

    def render(self, filled: tuple[bytes, ...], values: Sequence[bytes]) -> bytes:
        """Return the bytes of one message. `filled` is a result of `fill`. `values` are the values
        of one run, in the order of `later`."""
        rendered = list(filled)
        rendered[1::2] = self._pick(values)
        return b"".join(rendered)
