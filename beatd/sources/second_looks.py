"""When a declared set that counts as applied is compared with the store once more."""

from beatd.clock import Clock

#: Until a set is compared again after it was applied: reads of a store lag by less than this.
SECOND_LOOK_AFTER_S = 5.0


class SecondLooks:
    """Knows for each source when its set is due for a second comparison.

    A store may answer from a replica that does not have the newest writes yet. Then a set seems to
    agree with the store, and does not, or writes are refused because the rows that were read are
    old. The set is compared again a little later, until a later comparison writes nothing.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[int, tuple[float, str]] = {}  # place: when, and the set's digest

    def is_due(self, place: int) -> bool:
        """Return True if the set of the source at `place` is to be compared again now."""
        at, _ = self._due.get(place, (float("inf"), ""))
        return self._clock.elapsed() >= at

    def begin(self, place: int, digest: str) -> bool:
        """Return True if the comparison that begins now is the second one of this set.

        Until `applied` is called, no second one is due.
        """
        at, of = self._due.pop(place, (float("inf"), ""))
        return of == digest and self._clock.elapsed() >= at

    def applied(self, place: int, digest: str) -> None:
        """Note that a set was applied, maybe in part: a second look is due after a while."""
        self._due[place] = self._clock.elapsed() + SECOND_LOOK_AFTER_S, digest

    def forget(self) -> None:
        """Forget all sets, because a new term applies them anyway."""
        self._due.clear()
