"""Who runs: beatd and its peers, each by the commands its documentation gives.

beatd is loaded with `beatd apply`, started with `beatd -c`, edited with `beatd add`; a peer is
loaded through its own models and started with `celery beat`. Nothing here knows more of either.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.servers import free_port

HERE = Path(__file__).resolve().parent
VENV = HERE.parent / ".venv-bench"
PACKAGES = (
    *("celery-redbeat", "django-celery-beat", "sqlalchemy-celery-beat", "apscheduler<4"),
    *("celery[redis]", "psycopg[binary]", "psycopg2-binary"),
    *("croniter", "msgspec", "pytz"),  # what beatd's schedules take, for next_after.py
    "matplotlib",
)
IN_A_FILE = 40_000  # entries; a larger file is refused
#: In the environment: how beatd learns outcomes, and the `overlap` of all entries.
OUTCOMES, OVERLAP = "BEATD_BENCH_OUTCOMES", "BEATD_BENCH_OVERLAP"
#: In the environment: how many clients poll the pages of beatd in the steady cases.
PAGES = "BEATD_BENCH_PAGES"
#: In the environment: how many requests a second programs send to the API of beatd meanwhile.
API_RATE = "BEATD_BENCH_API"
BY_FILES = 100_000  # entries; more are loaded by load_store.py


@dataclass(frozen=True)
class Contestant:
    system: str
    store: str
    broker: str

    def __str__(self) -> str:
        where = self.store if self.store == self.broker else f"{self.store}+{self.broker}"
        return f"{self.system} {where}"


BEATD = tuple(
    Contestant("beatd", *where)
    for where in (
        ("redis", "redis"),
        ("postgresql", "redis"),
        ("sqlite", "redis"),
        ("postgresql", "rabbitmq"),
    )
)
BARE = Contestant("bare push", "redis", "redis")  # the machine's limit
ALL = (
    *BEATD,
    BARE,
    Contestant("celery-beat", "file", "redis"),
    Contestant("celery-beat", "file", "rabbitmq"),
    Contestant("redbeat", "redis", "redis"),
    Contestant("redbeat", "redis", "rabbitmq"),
    Contestant("django-celery-beat", "postgresql", "redis"),
    Contestant("sqlalchemy-celery-beat", "postgresql", "redis"),
    Contestant("apscheduler", "redis", "redis"),
    Contestant("apscheduler", "postgresql", "redis"),
)


@dataclass(frozen=True)
class Job:
    """What to schedule: a herd due at `at`, all of them each second, or all of them far off.

    `variant` of a herd: "distinct" has another schedule for each entry, "chains" a chain of three
    tasks in the place of each task.
    """

    system: str
    kind: str
    entries: int
    at: float
    store: str
    broker: str
    queue: str
    folder: str
    variant: str = ""


def peers_installed() -> None:
    mark, wanted = VENV / "ready", "\n".join(PACKAGES)
    if mark.exists() and mark.read_text() == wanted:
        return
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    subprocess.run([VENV / "bin" / "pip", "install", "-q", *PACKAGES], check=True)
    mark.write_text(wanted)


def running(job: Job) -> "Running":
    match job.system:
        case "beatd":
            return Beatd(job)
        case BARE.system:
            return Bare(job)
        case _:
            return Peer(job)


class Running:
    def __init__(self, job: Job) -> None:
        self.job, self.folder = job, Path(job.folder)
        self.http_port, self.pages, self.api_rate = 0, 0, 0.0
        self.log = self.folder / "log"

    def load(self) -> float:
        """Fill the store; seconds."""
        raise NotImplementedError

    def command(self) -> list[Any]:
        raise NotImplementedError

    def start(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(self.command(), stdout=log, stderr=log, env=self.environment())

    def environment(self) -> dict[str, str]:
        # Compiled once, as whatever is installed, also where the repository itself is run.
        unwanted = "PYTHONDONTWRITEBYTECODE"
        return {name: value for name, value in os.environ.items() if name != unwanted}

    def edit(self) -> float | None:
        """An entry that is due at once; the time when the edit was made, None where none can be."""
        raise NotImplementedError


class Beatd(Running):
    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.config = self.folder / "config.yaml"
        self.pages = int(os.environ.get(PAGES, "0"))
        self.api_rate = float(os.environ.get(API_RATE, "0"))
        http = ""
        if self.pages or self.api_rate:
            self.http_port = free_port()
            http = f"http: {{bind: '127.0.0.1:{self.http_port}'}}\n"
        self.config.write_text(
            f"{http}store: {{url: '{job.store}'}}\nbroker: {{url: '{job.broker}'}}\n"
            f"log: {{level: warning}}\noutcomes: {{from: {os.environ.get(OUTCOMES, 'reports')}}}\n"
        )
        self.beatd = str(Path(sys.executable).parent / "beatd")

    def load(self) -> float:
        job = self.job
        if job.entries > BY_FILES:
            command = [sys.executable, str(HERE / "load_store.py"), job.store, str(job.entries)]
            return timed([*command, job.queue]) + self._probe()
        files = []
        lines = [f"  entry-{n}: {self.line(n)}\n" for n in range(job.entries)]
        for first in range(0, job.entries, IN_A_FILE):
            files.append(self.folder / f"entries-{first}.yaml")
            files[-1].write_text("entries:\n" + "".join(lines[first : first + IN_A_FILE]))
        took = timed([self.beatd, "apply", *map(str, files), "-c", str(self.config)])
        return took + (self._probe() if job.kind == "far" else 0)

    def line(self, n: int) -> str:
        job = self.job
        rest = f"task: t.herd, args: [{n}]"
        if job.variant == "chains":
            rest = f"chain: [{{{rest}}}, {{task: t.second}}, {{task: t.third, args: [{n}]}}]"
        rest += f", options: {{queue: {job.queue}}}"
        if overlap := os.environ.get(OVERLAP):
            # No worker reports here: each run must be over before the next one is due.
            rest += f", overlap: {overlap}, max_run: 0.9s"
        if job.kind == "steady":
            return f"{{every: 1s, {rest}}}"
        at = datetime.fromtimestamp(job.at, UTC)
        if job.kind == "far":
            far = datetime.now(UTC) + timedelta(hours=3, minutes=n % (20 * 60))
            return f"{{cron: '{far.minute} {far.hour} * * *', {rest}}}"
        # Distinct: other days of the month for each, today and tomorrow among them.
        distinct = job.variant == "distinct"
        today = {at.day, (at + timedelta(days=1)).day}
        others = [day for day in range(1, 29) if day not in today]
        chosen = {day for place, day in enumerate(others) if n >> place & 1} if distinct else ()
        days = ",".join(map(str, sorted({*today, *chosen}))) if distinct else "*"
        return f"{{cron: '{at.second} {at.minute} {at.hour} {days} * *', {rest}}}"

    def _probe(self) -> float:
        """An entry asked for by hand before the daemon is there: its message shows readiness."""
        far = (datetime.now(UTC) + timedelta(days=300)).isoformat()
        self.run("add", "probe", "--task", "t.herd", "--at", far, "--queue", self.job.queue)
        self.run("trigger", "probe")
        return 0.0

    def run(self, *words: str) -> None:
        subprocess.run(
            [self.beatd, *words, "-c", str(self.config)], check=True, stdout=subprocess.DEVNULL
        )

    def command(self) -> list[Any]:
        return [self.beatd, "-c", str(self.config)]

    def edit(self) -> float:
        self.run("add", "edited", "--task", "t.herd", "--every", "0.02", "--queue", self.job.queue)
        return time.time()


class Bare(Running):
    def load(self) -> float:
        return 0.0

    def command(self) -> list[Any]:
        return [sys.executable, str(HERE / "bare.py"), json.dumps(asdict(self.job))]

    def edit(self) -> None:
        return None


SCHEDULER = {
    "redbeat": ["-S", "redbeat.RedBeatScheduler"],
    "django-celery-beat": ["-S", "django_celery_beat.schedulers:DatabaseScheduler"],
    "sqlalchemy-celery-beat": ["-S", "sqlalchemy_celery_beat.schedulers:DatabaseScheduler"],
}


class Peer(Running):
    def environment(self) -> dict[str, str]:
        told = {"BENCH_JOB": json.dumps(asdict(self.job)), "PYTHONPATH": str(HERE / "peers")}
        if self.job.system == "django-celery-beat":
            told["DJANGO_SETTINGS_MODULE"] = "settings"
        return {**super().environment(), **told}

    def load(self) -> float:
        if self.job.system == "celery-beat":
            return 0.0  # its entries are in its app
        if self.job.system == "apscheduler":
            return timed(self._python("scheduler.py", "fill"), self.environment())
        return timed(self._python("load.py"), self.environment())

    def command(self) -> list[Any]:
        if self.job.system == "apscheduler":
            return self._python("scheduler.py")
        shelf = ["-s", self.job.store] if self.job.system == "celery-beat" else []
        celery = [VENV / "bin" / "celery", "-A", "project", "beat", "--pidfile=", "-l", "ERROR"]
        return [*celery, *shelf, *SCHEDULER.get(self.job.system, ())]

    def edit(self) -> float | None:
        if self.job.system in ("celery-beat", "apscheduler"):
            return None  # a restart
        found = subprocess.run(
            self._python("load.py", "edit"),
            env=self.environment(), check=True, capture_output=True,
        )  # fmt: skip
        return float(found.stdout)

    def _python(self, script: str, *words: str) -> list[Any]:
        return [VENV / "bin" / "python", HERE / "peers" / script, *words]


def timed(command: list[Any], environment: dict[str, str] | None = None) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - started
