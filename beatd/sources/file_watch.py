"""Notice when files change, by their size, time and inode, about once a second."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from beatd.clock import Clock

LOOK_EVERY_S = 1.0
SETTLED_AFTER_S = 0.2  # without a further change: a file may be half written

Look = tuple[tuple[object, ...], ...]


def look_at(paths: Iterable[Path]) -> Look:
    """Return the size, time and inode of each file, to compare them later and notice any change.

    A symbolic link that leads elsewhere counts too: Kubernetes updates a ConfigMap that way.
    """
    seen: list[tuple[object, ...]] = []
    for path in paths:
        try:
            stat = path.stat()
            real = os.path.realpath(path)
            seen.append((str(path), real, stat.st_ino, stat.st_dev, stat.st_size, stat.st_mtime_ns))
        except OSError as error:
            seen.append((str(path), error.errno))
    return tuple(seen)


class FileWatch:
    """Notices when files change, by size, time and inode, without reading them.

    `paths` returns the files; it is called at each check, so that new files are noticed.
    """

    def __init__(self, paths: Callable[[], Iterable[Path]], clock: Clock) -> None:
        self._paths, self._clock = paths, clock
        self._known = look_at(paths())
        self.known_at = clock.elapsed()  # the last look that found no change
        self._latest, self._latest_since = self._known, clock.elapsed()
        self._looked_at = clock.elapsed()

    def changed(self) -> bool:
        """Return True if the files changed since `seen` was called, and are completely written.

        Files count as completely written after 0.2 seconds without a change. They are checked at
        most once a second, or every 0.2 seconds during a change.
        """
        now = self._clock.elapsed()
        if now - self._looked_at >= self._pause():
            self._look()
        return self._latest != self._known and now - self._latest_since >= SETTLED_AFTER_S

    def differs(self) -> bool:
        """Return True if the files have changed since `seen` was called, even if they are half
        written."""
        self._look()
        return self._latest != self._known

    def seen(self) -> None:
        """Remember the files as they are now, to notice later changes; call this just before
        reading them."""
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
        return LOOK_EVERY_S if self._latest == self._known else SETTLED_AFTER_S
