"""A daemon that counts its own objects after each reload, or after some edits:
python -m tests.daemon.count_objects FILE N reload|edit."""

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

from beatd.catalog import Change, Progress, Query
from beatd.config import load_config
from beatd.daemon import idle_gc
from beatd.daemon.daemon import Daemon
from beatd.daemon.idle_gc import IdleGc
from beatd.daemon.process_start import ProcessStart
from beatd.daemon.service import SIGNALS, serve
from beatd.daemon.trial import Trial
from beatd.definition import entry_from
from beatd.entry import Entry
from beatd.events import Event, Sent
from beatd.observers.systemd import SystemdObserver
from beatd.planning import first
from beatd.wiring import packages
from beatd.wiring.daemon_service import DaemonService
from tests.process import PATIENCE
from tests.waiting import until

EDITS = 3  # between two counts


class Publishes:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self, event: Event) -> None:
        self.times += isinstance(event, Sent)


class Counted:
    """`change` is what is done between two counts."""

    def __init__(self, path: str, times: int) -> None:
        self._path, self._times = path, times
        self.idle = IdleGc()
        self._daemons = weakref.WeakSet[Daemon]()
        self._built = 0

    def build(self) -> DaemonService:
        built = DaemonService(load_config(self._path).config, SystemdObserver(""))
        self._publishes = Publishes()
        built.daemon._observers += (self._publishes,)
        self._daemons.add(built.daemon)
        self._made = weakref.ref(built.daemon)
        self._built += 1
        return built

    @property
    def _daemon(self) -> Daemon:
        made = self._made()
        assert made is not None
        return made

    def drive(self) -> None:
        for number in range(1, self._times + 1):
            until(lambda n=number: self._built == n, PATIENCE, "it is built")  # type: ignore[misc]
            until(lambda: self._publishes.times >= 2, PATIENCE, "it publishes")
            until(lambda: len(self._daemons) == 1, PATIENCE, "the ended daemon is collected")
            until(lambda: not reads_packages(), PATIENCE, "the packages are read")
            sys.stdout.write(json.dumps(count()) + "\n")
            sys.stdout.flush()
            self.change(number)
        os.kill(os.getpid(), signal.SIGTERM)

    def change(self, number: int) -> None:
        os.kill(os.getpid(), signal.SIGHUP)


class Edited(Counted):
    """An entry is changed, and others come and go, each for as long as it takes to run."""

    def change(self, number: int) -> None:
        self._built += 1  # no reload: the same daemon is looked at again
        for step in range(EDITS):
            sent = self._publishes.times
            options = {"queue": "counted", "expires": 1}
            kwargs = {"text": f"{number} {step}" + "x" * 10_000}
            plain = {"task": "t", "every": 0.1, "options": options, "kwargs": kwargs}
            self._put(entry_from("edited", plain))
            self._put(entry_from(f"new-{number}-{step}", plain))
            until(lambda sent=sent: self._publishes.times > sent + 1, PATIENCE, "it publishes")  # type: ignore[misc]
            self._remove(f"new-{number}-{step}")
        self._publishes.times = 0

    def _put(self, made: Entry) -> None:
        assert self._daemon.store is not None
        found = list(self._daemon.store.catalog.find(Query(names=(made.name,))))
        seen, came = (found[0].revision, found[0].progress) if found else (0, Progress())
        plan = first(made, self._daemon.now())
        self._daemon.store.catalog.write([Change(made.name, seen, made, plan, progress=came)])

    def _remove(self, name: str) -> None:
        assert self._daemon.store is not None
        for stored in self._daemon.store.catalog.find(Query(names=(name,))):
            self._daemon.store.catalog.write([Change(name, stored.revision, None)])


class QuickStart(ProcessStart):
    """Every new configuration is right: to try one takes a second of CPU."""

    def trial(self) -> Trial:
        return Trial(["true"], self._environment, self._folder)


def reads_packages() -> bool:
    """True while a thread reads what a daemon may need of its packages later."""
    return any(thread.name == "beatd packages" for thread in threading.enumerate())


def count() -> dict[str, Any]:
    """What this process holds, by kind; what the collector has frozen is counted as well."""
    gc.unfreeze()
    kinds = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())
    # Each sqlite3.Connection keeps up to 200 dead references and 128 statements, and psycopg the
    # parts of 128 statements.
    del kinds["weakref.ReferenceType"], kinds["sqlite3.Statement"]
    del kinds["psycopg._queries.QueryPart"]
    return {
        "objects": kinds,
        "threads": threading.active_count(),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
    }


if __name__ == "__main__":
    idle_gc.AFTER_RELOAD_S = 0.1
    packages.READ_AFTER_S = 0.0
    kind = Edited if sys.argv[3] == "edit" else Counted
    counted = kind(sys.argv[1], int(sys.argv[2]))
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # in the thread below as well
    threading.Thread(target=counted.drive, daemon=True).start()
    sys.exit(serve(counted.build, SystemdObserver(""), counted.idle, QuickStart()))
