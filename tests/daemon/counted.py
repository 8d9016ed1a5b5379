"""A daemon that counts its own objects after each reload: python -m tests.daemon.counted FILE N."""

import gc
import json
import os
import signal
import sys
import threading
import weakref
from collections import Counter
from pathlib import Path
from typing import Any

from beatd import garbage
from beatd.building import Built
from beatd.config import load_config
from beatd.daemon import Daemon
from beatd.events import Event, Sent
from beatd.garbage import IdleCollector
from beatd.observers.systemd import SystemdObserver
from beatd.reload import Start, Trial
from beatd.service import HEARD, serve
from tests.process import PATIENCE
from tests.waiting import until


class Publishes:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self, event: Event) -> None:
        self.times += isinstance(event, Sent)


class Reloads:
    def __init__(self, path: str, times: int) -> None:
        self._path, self._times = path, times
        self.idle = IdleCollector()
        self._daemons = weakref.WeakSet[Daemon]()
        self._built = 0

    def build(self) -> Built:
        built = Built(load_config(self._path).config, SystemdObserver(""))
        self._publishes = Publishes()
        built.daemon._observers += (self._publishes,)
        self._daemons.add(built.daemon)
        self._built += 1
        return built

    def drive(self) -> None:
        for number in range(1, self._times + 1):
            until(lambda n=number: self._built == n, PATIENCE, "it is built")  # type: ignore[misc]
            until(lambda: self._publishes.times >= 2, PATIENCE, "it publishes")
            until(lambda: len(self._daemons) == 1, PATIENCE, "the ended daemon is collected")
            sys.stdout.write(json.dumps(count()) + "\n")
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)


class QuickStart(Start):
    """Every new configuration is right: to try one takes a second of CPU."""

    def trial(self) -> Trial:
        return Trial(["true"], self._environment, self._folder)


def count() -> dict[str, Any]:
    """What this process holds, by kind; what the collector has frozen is counted as well."""
    gc.unfreeze()
    kinds = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())
    del kinds["weakref.ReferenceType"]  # each sqlite3.Connection keeps up to 200 dead ones
    return {
        "objects": kinds,
        "threads": threading.active_count(),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
    }


if __name__ == "__main__":
    garbage.AFTER_RELOAD_S = 0.1
    reloads = Reloads(sys.argv[1], int(sys.argv[2]))
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)  # in the thread below as well
    threading.Thread(target=reloads.drive, daemon=True).start()
    sys.exit(serve(reloads.build, SystemdObserver(""), reloads.idle, QuickStart()))
