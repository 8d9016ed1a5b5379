"""celery beat, redbeat and django-celery-beat in the place of beatd, with entries every second.

They have no moments of their own: a run is due one second after the run before it.
"""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.chaos.arrivals import QUEUE, Arrival
from tests.chaos.daemons import Daemons
from tests.chaos.entries import Rule
from tests.chaos.faults import OF_DAEMON
from tests.chaos.moments import Moments
from tests.chaos.pair import Pair
from tests.chaos.stage import Stage

SCRIPTS = Path(__file__).parents[2] / "bench" / "peers"
ENTRIES = 24
RULES = [Rule(f"[{number}]", 1, "") for number in range(ENTRIES)]  # by their arguments
# redbeat takes a lock over after five of these, 25 minutes by its defaults.
SETTINGS = {"beat_max_loop_interval": 1}
OF_SERVER = ("kill", "restart", "freeze", "cut", "mute")
STORES = {"celery": "shelve", "redbeat": "redis", "django": "postgresql"}
DAEMONS = {"celery": 1, "redbeat": 2, "django": 1}
NAMES = {"celery": "celery-beat", "redbeat": "redbeat", "django": "django-celery-beat"}
SCHEDULERS = {
    "celery": ("-s", "schedule"),
    "redbeat": ("-S", "redbeat.RedBeatScheduler"),
    "django": ("-S", "django_celery_beat.schedulers:DatabaseScheduler"),
}
TWICE_S = 0.5  # a run that follows the one before it sooner than this is a double


class Peer:
    def __init__(self, system: str, broker: str) -> None:
        self._system = system
        self.pair = Pair(STORES[system], broker)

    def __str__(self) -> str:
        return f"{NAMES[self._system]}, broker {self.pair.broker}"

    def kinds(self) -> list[tuple[str, str]]:
        who = ("leader", "standby")[: DAEMONS[self._system]]
        found = [(kind, server) for server in self.pair.servers for kind in OF_SERVER]
        return found + [(kind, one) for one in who for kind in OF_DAEMON]

    def start(self, here: Stage, folder: Path, _libfaketime: Path | None) -> Daemons:
        homes = [folder / f"daemon-{number}" for number in range(DAEMONS[self._system])]
        for home in homes:
            home.mkdir()
        if self._system != "celery":
            subprocess.run(
                [sys.executable, SCRIPTS / "load.py"],
                env={**os.environ, **self._variables(here, None)},
                check=True,
                stdout=subprocess.DEVNULL,
            )
        celery = Path(sys.executable).with_name("celery")
        command = (celery, "-A", "project", "beat", "--pidfile=", *SCHEDULERS[self._system])
        variables = [self._variables(here, number) for number in range(len(homes))]
        return Daemons(homes, command, variables)

    def _variables(self, here: Stage, number: int | None) -> dict[str, str]:
        store = self.pair.store
        job: dict[str, Any] = {
            "system": NAMES[self._system],
            "kind": "steady",
            "entries": ENTRIES,
            "store": "" if self._system == "celery" else here.url(store, number),
            "broker": here.url(self.pair.broker, number),
            "queue": QUEUE,
            "settings": SETTINGS,
        }
        found = {"BENCH_JOB": json.dumps(job), "PYTHONPATH": str(SCRIPTS)}
        return found | ({"DJANGO_SETTINGS_MODULE": "settings"} if store == "postgresql" else {})


def moments_of(arrivals: Sequence[Arrival], until: float) -> Moments:
    """Return the moments of all entries up to `until`, one every second after the run before."""
    found, of_entry = Moments(), defaultdict[str, list[Arrival]](list)
    for one in sorted(arrivals, key=lambda one: one.at):
        of_entry[one.entry].append(one)
    for runs in of_entry.values():
        last, ids = runs[0].at, set[str]()
        for before, one in pairwise(runs):
            ids.add(before.task_id)
            if one.task_id in ids:
                found.same_id.append(one.at)
                continue
            if one.at - last < TWICE_S:
                found.other_id.append(one.at)
                continue
            if last + 1 > until:
                break
            seconds = max(1, round(one.at - last))
            due = [last + second for second in range(1, seconds + 1)]
            found.due += due
            found.missing += due[1:]  # the first one runs late, the others never
            found.late.append((due[0], max(0.0, one.at - due[0])))
            last = one.at
        silent = [last + second for second in range(1, int(until - last) + 1)]
        found.due += silent
        found.missing += silent
    return found


def takeovers(arrivals: Sequence[Arrival], since: float, until: float) -> int:
    """Return how often a message came from another process than the one before it."""
    pids = [one.pid for one in arrivals if since <= one.at <= until]
    return sum(a != b for a, b in pairwise(pids))
