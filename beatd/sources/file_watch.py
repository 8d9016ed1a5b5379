"""Whether files changed, told by looking at them at most once a second."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from beatd.clock import Clock

LOOK_EVERY = 1.0
SETTLED_AFTER = 0.2  # a file that is being written is not read half-way

Look = tuple[tuple[object, ...], ...]


def look_at(paths: Iterable[Path]) -> Look:
    """What changes when a file does, when it is replaced, and when a link above it is turned to
    another folder, as Kubernetes does with a ConfigMap."""
    seen: list[tuple[object, ...]] = []
    for path in paths:
        try:
            stat = path.stat()
            real = os.path.realpath(path)
            seen.append((str(path), real, stat.st_ino, stat.st_dev, stat.st_size, stat.st_mtime_ns))
        except OSError as error:
            seen.append((str(path), error.errno))
    return tuple(seen)


class Watch:
    """`paths` lists the files anew at each look, so that new ones are noticed."""

    def __init__(self, paths: Callable[[], Iterable[Path]], clock: Clock) -> None:
        self._paths, self._clock = paths, clock
        self._known = look_at(paths())
        self.known_at = clock.elapsed()  # the last look that found no change
        self._latest, self._latest_since = self._known, clock.elapsed()
        self._looked_at = clock.elapsed()

    def changed(self) -> bool:
        """True from when a change has come to rest until `seen`."""
        now = self._clock.elapsed()
        if now - self._looked_at >= self._pause():
            self._look()
        return self._latest != self._known and now - self._latest_since >= SETTLED_AFTER

    def differs(self) -> bool:
        """True from when a change is there until `seen`, come to rest or not; looks at once."""
        self._look()
        return self._latest != self._known

    def seen(self) -> None:
        """To be called before the files are read: what changes meanwhile counts as new."""
        self._looked_at = self.known_at = self._clock.elapsed()
        self._known = self._latest = look_at(self._paths())

    def _look(self) -> None:
        self._looked_at = now = self._clock.elapsed()
        look = look_at(self._paths())
        if look == self._known:
            self.known_at = now
        if look != self._latest:
            self._latest, self._latest_since = look, now

    def _pause(self) -> float:
        return LOOK_EVERY if self._latest == self._known else SETTLED_AFTER
