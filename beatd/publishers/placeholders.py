"""Make many messages from the bytes of one, by replacing its placeholders with values.

A placeholder is a random text in the place of a value that differs between messages, such as the
task id. To cut the bytes at the placeholders once and then join the parts is fast.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from uuid import uuid4

# The placeholders are random: no arguments of a task hold one by chance or on purpose.
NAME, ARGSREPR, KWARGSREPR, BODY = (str(uuid4()) for _ in range(4))
ID, PLANNED, ETA, EXPIRES, EXPIRATION, TAG, TRACE = (str(uuid4()) for _ in range(7))

# The placeholders of the values of a run, in the order of `Values`.
RUN = (ID, PLANNED, ETA, EXPIRES, EXPIRATION, TAG, TRACE)
Values = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes]

MOMENT = len("2026-11-21T13:19:18.822423+08:00")  # the length of every moment in a message
TRACEPARENT = len(f"00-{32 * '0'}-{16 * '0'}-01")
SEARCHED_ONE_BY_ONE = 100
LIKE_A_MARK = re.compile(
    rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    rb"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}\+00:00"
    rb"|00-[0-9a-f]{32}-[0-9a-f]{16}-01"
)


class Gaps:
    """The bytes of a message, cut at the places where values are filled in.

    `once` lists the placeholders that are filled in once for each entry, `later` those that are
    filled in for each run.
    """

    def __init__(self, text: bytes, once: Sequence[str], later: Sequence[str]) -> None:
        self._once = {mark.encode(): place for place, mark in enumerate(once)}
        self._later = {mark.encode(): place for place, mark in enumerate(later)}
        marks = b"|".join(re.escape(mark) for mark in (*self._once, *self._later))
        self._parts = re.split(b"(" + marks + b")", text) if marks else [text]
        order = [self._later[part] for part in self._parts if part in self._later]
        self._pick = picker(order)

    def fill(self, values: Sequence[bytes]) -> tuple[bytes, ...]:
        """Fill in the values of one entry, and return the parts of the message for `render`.

        Every second part is empty and stands for a value of a run.
        """
        filled = [b""]
        for part in self._parts:
            if part in self._later:
                filled += (b"", b"")
            else:
                filled[-1] += values[self._once[part]] if part in self._once else part
        return tuple(filled)

    def render(self, filled: tuple[bytes, ...], values: Sequence[bytes]) -> bytes:
        """Fill in the values of one run, and return the bytes of its message.

        `filled` is a result of `fill`, for the entry of the run.
        """
        rendered = list(filled)
        rendered[1::2] = self._pick(values)
        return b"".join(rendered)


class RunGaps:
    """The bytes of a message of one entry, with gaps for the values of a run.

    Texts in the form of an id, a moment or a traceparent are gaps if they are in `places`, which
    has the place of the value of each.
    """

    def __init__(self, text: bytes, places: Mapping[str, int]) -> None:
        self._parts, order = [b""], list[int]()
        end = 0
        for start, mark in _marks_in(text, places):
            self._parts[-1] = text[end:start]
            self._parts += (b"", b"")
            order.append(places[mark])
            end = start + len(mark)
        self._parts[-1] = text[end:]
        self._pick = picker(order)

    def render(self, values: Sequence[bytes]) -> bytes:
        """Return the bytes with the values of a run filled in."""
        rendered = list(self._parts)
        rendered[1::2] = self._pick(values)
        return b"".join(rendered)


def _marks_in(text: bytes, places: Mapping[str, int]) -> list[tuple[int, str]]:
    # Where each one begins, in order. To search for few marks one by one is twenty times faster; a
    # group of a thousand tasks has a thousand.
    if len(places) > SEARCHED_ONE_BY_ONE:
        found = ((match.start(), match[0].decode()) for match in LIKE_A_MARK.finditer(text))
        return [(start, mark) for start, mark in found if mark in places]
    starts = list[tuple[int, str]]()
    for mark in places:
        encoded = mark.encode()
        start = text.find(encoded)
        while start >= 0:
            starts.append((start, mark))
            start = text.find(encoded, start + len(encoded))
    return sorted(starts)


def picker(order: Sequence[int]) -> Callable[[Sequence[bytes]], Iterable[bytes]]:
    """Return a function that returns the values at these places, in this order."""
    # With one place only, itemgetter would give the value itself.
    return itemgetter(*order) if len(order) > 1 else lambda values: [values[at] for at in order]
