"""Limit how often a client may try wrong access tokens."""

import time
from collections import deque
from collections.abc import Callable
from ipaddress import ip_address
from math import ceil
from threading import Lock

PER_ADDRESS_MAX = 10
ALL_MAX = 60
WINDOW_S = 60.0
REMEMBERED_MAX = 10_000  # so that a flood from many addresses takes no memory


class TooManyGuesses(Exception):
    """Raised when an address has sent too many wrong tokens; it may try again after `wait_s`
    seconds."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many wrong tokens; try again in {wait_s} s")
        self.wait_s = wait_s


class GuessLimit:
    """Counts the wrong tokens of the last minute, and limits them to 10 per address and 60 in
    total.

    `elapsed` returns the seconds of a monotonic clock.
    """

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed, self._guard = elapsed, Lock()
        self._wrong = deque[tuple[float, str]](
            maxlen=REMEMBERED_MAX
        )  # when, and from where; the oldest first

    def check(self, address: str, *, all_together: bool) -> None:
        """Raise TooManyGuesses if this address has sent too many wrong tokens in the last minute.

        If `all_together`, the total of all addresses counts, too. Only sign-ins of people check
        this total, so that nobody can lock out programs by sending wrong tokens.
        """
        origin = origin_of(address)
        with self._guard:
            self._forget()
            own = [at for at, sender in self._wrong if sender == origin]
            if len(own) >= PER_ADDRESS_MAX:
                raise TooManyGuesses(self._wait_s(own[0]))
            if all_together and len(self._wrong) >= ALL_MAX:
                raise TooManyGuesses(self._wait_s(self._wrong[0][0]))

    def count(self, address: str) -> None:
        """Record that this address has sent a wrong token."""
        with self._guard:
            self._forget()
            self._wrong.append((self._elapsed(), origin_of(address)))

    def _forget(self) -> None:
        while self._wrong and self._elapsed() - self._wrong[0][0] >= WINDOW_S:
            self._wrong.popleft()

    def _wait_s(self, oldest: float) -> int:
        return max(1, ceil(oldest + WINDOW_S - self._elapsed()))


def origin_of(address: str) -> str:
    """Return the address, or the /64 network of an IPv6 address, because one host may use all of
    it."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(int(found) >> 64)
