"""`beatd --shadow`: the daemon beside a running scheduler. It plans and claims in a store of its
own, sends nothing, and listens to what the other one sends."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from celery import Celery
from celery.utils.saferepr import saferepr
from celery.utils.time import utcoffset
from msgspec import DecodeError, Struct, field, json
from msgspec.structs import replace

from beatd.catalog import Query
from beatd.clock import Clock, SystemClock
from beatd.config import Config, Lock, Store, schemes
from beatd.daemon.daemon import Daemon
from beatd.daemon.housekeeping import Declares
from beatd.daemon.parts import Parts
from beatd.definition import codec
from beatd.engine.dispatch import InSteps
from beatd.engine.unapplied import NOTHING_WAITS, Unapplied
from beatd.entry import Entry
from beatd.errors import BeatError
from beatd.events import Event, Observer, Sent
from beatd.observers.log import LogObserver
from beatd.publisher import Outcome, Publisher
from beatd.run import Run
from beatd.shadow.tally import ON_TIME, Figures, Key, Tally, norm
from beatd.sources.declared import Declaring
from beatd.sources.store_copy import Copied
from beatd.wiring import backends
from beatd.wiring.build import celery_app, daemon_of, declaring_of

log = logging.getLogger("beatd")
SAVE_EVERY = 5.0


class Report(Struct, kw_only=True):
    """What `beatd status --shadow` shows; kept in a file between runs."""

    since: str
    until: str
    listening: bool
    heard: int = 0
    totals: dict[str, int] = {}
    entries: dict[str, Figures] = field(default_factory=dict)


def files_of(config: Config) -> tuple[Path, Path]:
    """The shadow's own store and its report, in the folder of the configuration."""
    folder = Path(config.folder)
    return folder / "beatd-shadow.db", folder / "beatd-shadow.json"


def read_report(config: Config) -> Report:
    path = files_of(config)[1]
    try:
        return json.decode(path.read_bytes(), type=Report)
    except FileNotFoundError:
        raise BeatError(f"{path}: no shadow has run here; start one with beatd --shadow") from None
    except (OSError, DecodeError) as error:
        raise BeatError(f"{path}: cannot be read: {error}") from None


class Watching:
    """The tally, safe to tell from the beat and from the listener, and its file."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._lock = threading.Lock()
        now = clock.now()
        before = None
        with contextlib.suppress(OSError, DecodeError):
            before = json.decode(path.read_bytes(), type=Report)
        self._since = before.since if before else now.isoformat()
        self._heard = before.heard if before else 0
        self._tally = Tally(now.timestamp(), before.entries if before else None)
        self.listening = False
        self._saved_at = float("-inf")

    def planned(self, run: Run) -> None:
        now, moment = self._clock.now(), run.occurrence.planned
        # What is made up after an outage was planned for a time when nobody listened.
        if (now - moment).total_seconds() <= ON_TIME and self.listening:
            entry = run.entry
            with self._lock:
                self._tally.plan(key_of(entry), entry.name, moment.timestamp(), period_of(entry))

    def knows(self, entries: Iterable[Entry]) -> None:
        with self._lock:
            for entry in entries:
                self._tally.know(key_of(entry), entry.name)

    def saw(self, event: dict[str, Any]) -> None:
        key = (str(event.get("name")), norm(event.get("args")), str(event.get("kwargs") or "{}"))
        # celery moves the stamp by the difference of the two hosts' zones, though it is UTC.
        stamp = event["timestamp"] + 3600 * (event.get("utcoffset", utcoffset()) - utcoffset())
        with self._lock:
            self._heard += 1
            self._tally.see(key, stamp)

    def hears(self, listening: bool) -> None:
        with self._lock:
            if listening != self.listening:
                self._tally.deaf(self._clock.now().timestamp())
            self.listening = listening

    def save(self, *, now: bool = False) -> None:
        elapsed = self._clock.elapsed()
        if not now and elapsed - self._saved_at < SAVE_EVERY:
            return
        self._saved_at = elapsed
        with self._lock:
            self._tally.settle(self._clock.now().timestamp())
            report = Report(
                since=self._since,
                until=self._clock.now().isoformat(),
                listening=self.listening,
                heard=self._heard,
                totals=self._tally.totals(),
                entries=dict(self._tally.figures),
            )
            content = json.encode(report)
        beside = self._path.with_suffix(".new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        beside.replace(self._path)


def key_of(entry: Entry) -> Key:
    kwargs = saferepr(dict(entry.kwargs)) if entry.kwargs else "{}"
    return entry.task, norm(saferepr(list(entry.args))), kwargs


def period_of(entry: Entry) -> float | None:
    period = getattr(entry.schedule, "period", None)
    return None if period is None else period / 1_000_000


class Silent:
    """A publisher that only notes what it would have sent."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching

    def prepare(self, runs: Sequence[Run]) -> None:
        pass

    def hold(self, runs: Sequence[Run]) -> None:
        return None

    def publish(self, runs: Sequence[Run], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        for run in runs:
            self._watching.planned(run)
        return [Outcome("confirmed")] * len(runs)

    def forget(self, names: Sequence[str]) -> None:
        pass

    def reachable(self) -> bool:
        return True

    def trouble(self) -> str:
        return ""

    def close(self) -> None:
        pass


class Listener:
    """Hears the task-sent events of an app's broker on a thread of its own, until it is closed."""

    def __init__(self, app: Celery, watching: Watching) -> None:
        self._app, self._watching = app, watching
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="beatd shadow", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                self._hear()
            except Exception as error:
                # Any transport's own errors; the other scheduler is not to be judged meanwhile.
                log.warning("the broker cannot be heard: %s", " ".join(str(error).split())[:200])
            self._watching.hears(False)
            self._watching.save(now=True)
            self._stop.wait(1.0)

    def _hear(self) -> None:
        with self._app.connection_for_read() as connection:
            receiver = self._app.events.Receiver(
                connection, handlers={"task-sent": self._watching.saw}, routing_key="task.sent"
            )
            with receiver.consumer_context(wakeup=False) as (link, _channel, _consumers):
                self._watching.hears(True)
                while not self._stop.is_set():
                    with contextlib.suppress(TimeoutError):
                        link.drain_events(timeout=0.5)
                    self._watching.save()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5.0)


class _Knowing:
    """Tells the tally of entries as they are declared."""

    def __init__(self, declaring: Declares, watching: Watching) -> None:
        self._declaring, self._watching = declaring, watching
        self.conflicts, self.digest = declaring.conflicts, declaring.digest
        self.unapplied, self.compare_again = declaring.unapplied, declaring.compare_again
        self._version = ""

    def __call__(
        self, store: Any, term: int, released: Callable[[], None], lasts: Callable[[], bool]
    ) -> bool:
        changed = self._declaring(store, term, released, lasts)
        version = store.version()
        if version != self._version:
            self._watching.knows(row.entry for row in store.find(Query()))
            self._version = version
        return changed


def shadow_of(
    config: Config, *, observers: tuple[Observer, ...] = (), app: Celery | None = None
) -> tuple[Daemon, Callable[[], None]]:
    """A daemon that sends nothing, and what closes the rest."""
    clock, app = SystemClock(), app or celery_app(config)
    database, report = files_of(config)
    watching = Watching(report, clock)
    silent: Publisher = Silent(watching)
    declaring, close_store = _declared(config, clock, app)

    def parts(made: Parts) -> Parts:
        return replace(
            made,
            publisher=lambda: silent,
            dispatch=lambda store, sender, tell: InSteps(
                ledger=store, publisher=sender, clock=clock, tell=tell
            ),
            declaring=_Knowing(declaring, watching),
        )

    own = replace(config, store=Store(url=f"sqlite:///{database}"), lock=Lock(), http=None)
    daemon = daemon_of(own, clock=clock, app=app, observers=observers, parts=parts)
    listener = Listener(app, watching)

    def close() -> None:
        listener.close()
        close_store()

    return daemon, close


class Built:
    """A shadow as `beatd --shadow` runs it."""

    def __init__(self, config: Config, *observers: Observer) -> None:
        self.has_app = config.app is not None
        told = LogObserver()

        def unsent(event: Event) -> None:
            # "published" would be read as a lie.
            if not isinstance(event, Sent):
                told(event)

        self.daemon, self._close = shadow_of(config, observers=(unsent, *observers))

    def open(self) -> None:
        log.info("a shadow: it sends nothing; beatd status --shadow tells what it sees")

    def close(self) -> None:
        self._close()


def _declared(config: Config, clock: Clock, app: Celery) -> tuple[Declares, Callable[[], None]]:
    """What the daemon itself would run: its files and app, Django's rows, or what is in its
    store."""
    url = config.store.url
    declaring = declaring_of(config, clock=clock, app=app)
    if url.startswith((schemes.DJANGO, "memory:", "shelve:")) or not _is_there(url):
        return declaring, lambda: None
    store = backends.open_store(url, codec=codec, clock=clock, prefix=config.store.prefix)
    copied = Declaring([Copied(store, clock)], clock=clock)
    return _Both(declaring, copied), store.close


def _is_there(url: str) -> bool:
    """A file of SQLite that is not there is not made: there is nothing in it to follow."""
    return not url.startswith("sqlite") or Path(url.split("///", 1)[-1].split("?")[0]).exists()


class _Both:
    def __init__(self, *parts: Declares) -> None:
        self._parts = parts

    def __call__(
        self, store: Any, term: int, released: Callable[[], None], lasts: Callable[[], bool]
    ) -> bool:
        return any([part(store, term, released, lasts) for part in self._parts])

    def unapplied(self, term: int) -> Unapplied:
        waiting = NOTHING_WAITS
        for part in self._parts:
            waiting |= part.unapplied(term)
        return waiting

    def compare_again(self, store: Any, *, whole: bool) -> None:
        for part in self._parts:
            part.compare_again(store, whole=whole)

    def conflicts(self) -> list[str]:
        return [line for part in self._parts for line in part.conflicts()]

    def digest(self) -> str:
        return " ".join(part.digest() for part in self._parts)
