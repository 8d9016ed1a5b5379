"""What a daemon declares, brought to the store by whoever leads, and read again when it changes."""

from collections.abc import Iterator, Sequence

from celery import Celery

from beatd.applying import Comparison, apply
from beatd.clock import Clock
from beatd.config import Config
from beatd.editing import present
from beatd.errors import ConfigError
from beatd.problem import Problem
from beatd.sources import Reading, Source
from beatd.sources.app import App
from beatd.sources.files import Files
from beatd.store import Store

LOOK_EVERY = 1.0


def sources_of(config: Config, *, app: Celery | None, clock: Clock) -> list[Source]:
    """Of a configuration: its files, and its app where it names one."""
    sources: list[Source] = []
    # With -A alone there is no file, and nothing in YAML to speak of.
    if config.app is None or config.entries or config.schedules or config.shown != "-A":
        sources.append(Files(config, clock))
    if config.app is not None and app is not None:
        timezone = config.timezone if config.names_timezone else None
        sources.append(App(app, shown=config.app, name=config.name, clock=clock, timezone=timezone))
    return sources


class Declaring:
    """Called about once a second by a daemon; the answer is what people should know of."""

    def __init__(self, config: Config, *, app: Celery, clock: Clock) -> None:
        self._clock = clock
        self._held = [_Held(source) for source in sources_of(config, app=app, clock=clock)]
        self._led = False
        self._looked_at = float("-inf")

    def __call__(self, store: Store, leading: bool) -> list[str]:
        now = self._clock.elapsed()
        if leading == self._led and now - self._looked_at < LOOK_EVERY:
            return self.said()
        self._looked_at = now
        for held in self._held:
            held.look()
            if leading:
                held.apply(store, self._clock, anew=not self._led)
            else:
                held.differs(store)
        self._led = leading
        return self.said()

    def said(self) -> list[str]:
        return [line for held in self._held for line in held.said()]

    def digest(self) -> str:
        """Of all that this daemon would apply."""
        return "/".join(held.digest() for held in self._held)


class _Held:
    """A source, what it last declared, and what came of it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._reading: Reading | None = None
        self._due = True
        self._came: list[str] = []

    def look(self) -> None:
        if self._reading is None or self._source.changed():
            self._reading = self._source.read()
            self._due = True

    def digest(self) -> str:
        return self._reading.declared.digest if self._reading else ""

    def apply(self, store: Store, clock: Clock, *, anew: bool) -> None:
        assert self._reading is not None
        declared = self._reading.declared
        # A store that came back empty, or was restored, knows of no set: it gets it again.
        if anew or self._due or store.applied(declared.source) is None:
            done = apply(store, declared, present(store, clock))
            self._came = list(told(done))
            self._due = False

    def differs(self, store: Store) -> None:
        """On a standby nothing is applied; that its set is another is worth a line."""
        assert self._reading is not None
        declared = self._reading.declared
        mark = store.applied(declared.source)
        self._came = []
        if mark is not None and mark.digest != declared.digest:
            which = "an older" if declared.loaded_at < mark.loaded_at else "another"
            self._came = [f"{declared.source}: this daemon has {which} set than the one applied"]

    def said(self) -> Iterator[str]:
        if self._reading is not None:
            yield from (str(problem) for problem in errors(self._reading.problems))
        yield from self._came


def told(done: Comparison) -> Iterator[str]:
    """What people should know of; what went well is not in it."""
    yield from (str(held) for held in done.conflicts)
    if done.newer is not None:
        at = done.newer.loaded_at.isoformat(timespec="seconds")
        yield f"{done.source}: a set read later ({at}) was applied; this daemon's older one is not"
    if done.kept:
        first = ", ".join(done.kept[:3]) + (", …" if len(done.kept) > 3 else "")
        count = f"{len(done.kept)} entries" if len(done.kept) > 1 else "1 entry"
        yield (
            f"{done.source}: {count} ({first}) declared nowhere now, in a place that is missing, "
            "empty or invalid; kept until `beatd apply --prune`"
        )


def errors(problems: Sequence[Problem]) -> list[Problem]:
    return [problem for problem in problems if not problem.warning]


def read_all(sources: Sequence[Source]) -> list[Reading]:
    """Every source as it is now; ConfigError with every problem where one has an error."""
    readings = [source.read() for source in sources]
    wrong = [problem for reading in readings for problem in errors(reading.problems)]
    if wrong:
        raise ConfigError(str(wrong[0]), wrong)
    return readings
