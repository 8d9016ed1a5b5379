"""The checks of `beatd check` that need the Celery app or a server, such as the broker."""

from collections.abc import Iterator, Sequence

from celery import Celery
from msgspec.structs import replace

from beatd.clock import SystemClock
from beatd.config import Config, Store, make_folders, schemes
from beatd.config.embedded_folders import uncreatable_store
from beatd.doctor.http_port import http_findings
from beatd.entry import Entry
from beatd.errors import BeatError, Problem, StoreAbsent
from beatd.outcomes.result_backend import backend_trouble
from beatd.presence import refusal_of
from beatd.publishers.celery import CeleryPublisher
from beatd.sources.app import App
from beatd.wiring import backends
from beatd.wiring.build import celery_app, sources_of
from beatd.wiring.configured_store import configured_store


def connection_problems(config: Config, facts: list[str]) -> Iterator[Problem]:
    """Try to use the broker, store, lock and HTTP port, and yield a problem for each failure.

    Each success is appended to `facts` as a line of text, such as "the broker answers". No store is
    created, and no lock in a store that does not exist yet.
    """
    publisher = store = None
    is_absent = False
    try:
        make_folders(replace(config, store=Store(url="memory:")))
        publisher = CeleryPublisher(
            app=celery_app(config), timeout=config.broker.timeout.total_seconds()
        )
        if publisher.reachable():
            facts.append("the broker answers")
        else:
            why = publisher.trouble() or "no answer in time"
            yield Problem(f"does not answer: {why}", ("broker",), config.shown)
    except BeatError as error:
        yield Problem(str(error), (), config.shown)
    try:
        store = configured_store(config, if_absent="refuse")
        if refusal := refusal_of(store):
            yield Problem(f"answers, but refuses writes: {refusal}", ("store",), config.shown)
        else:
            facts.append("the store answers")
        for text in store.problems():
            yield Problem(text, ("store",), config.shown, warning=True)
    except StoreAbsent as error:
        is_absent = True
        trouble = uncreatable_store(config)
        yield Problem(trouble or str(error), ("store",), config.shown, warning=not trouble)
    except BeatError as error:
        yield Problem(str(error), ("store",), config.shown)
    if config.lock.url or not is_absent:
        yield from _lock(config, facts)
    yield from _pages(config, facts)
    if store is not None and publisher is not None:
        path = (
            "at once: claim and publish are one step, nothing is ever unknown"
            if backends.on_one_redis(store, publisher) is not None
            else "in steps: claim, publish, record"
        )
        facts.append(f"runs are published {path}")
    for part in (publisher, store):
        if part is not None:
            part.close()


def declared_by_app(
    app: Celery, config: Config, others: Sequence[Entry]
) -> tuple[list[Problem], list[Entry]]:
    """Return the problems and the entries that the Celery app declares.

    An entry with a name in `others` is left out, with a warning about the duplicate.
    """
    clock = SystemClock()
    problems: list[Problem] = []
    entries: list[Entry] = []
    elsewhere = {entry.name: entry.declared_at for entry in others}
    for source in sources_of(config, clock=clock, app=app):
        if isinstance(source, App):
            reading = source.read()
            problems += reading.problems
            entries += (e for e in reading.declared.entries if e.name not in elsewhere)
            for entry in reading.declared.entries:
                if entry.name in elsewhere:
                    text = (
                        f"is declared in {elsewhere[entry.name]} already; one of them is left alone"
                    )
                    path = ("beat_schedule", entry.name)
                    problems.append(Problem(text, path, entry.declared_at, warning=True))
    return problems, entries


def outcome_problems(config: Config, app: Celery | None) -> Iterator[Problem]:
    """Yield a warning if outcomes are to be read from a result backend that cannot be used.

    `app` is None if the configuration names no Celery app.
    """
    if config.outcomes.read_from != "results":
        return
    trouble = "no app is named, whose result backend could be asked"
    if app is not None:
        trouble = backend_trouble(app)
    if trouble:
        text = f"'results' shows nothing: {trouble}; write reports, or off"
        yield Problem(text, ("outcomes", "from"), config.shown, warning=True)


def _lock(config: Config, facts: list[str]) -> Iterator[Problem]:
    """Acquire and release the lock once, and yield a problem if that fails.

    A lock that a daemon holds is no problem.
    """
    url = schemes.lock_url(config.store.url, config.lock.url)
    if url in ("none", "none:"):
        return
    try:
        lease = backends.open_lease(url, prefix=config.store.prefix)
        try:
            here = backends.own_holder("beatd check", SystemClock().now())
            if lease.take(here, config.lock.ttl.total_seconds()) == here:
                lease.release(here)
        finally:
            lease.close()
        facts.append("the lock answers")
    except BeatError as error:
        yield Problem(str(error), ("lock",), config.shown)


def _pages(config: Config, facts: list[str]) -> Iterator[Problem]:
    """Yield a problem if a daemon could not open the HTTP port; one that answers there is a
    fact."""
    for found in http_findings(config.http, config.broker.timeout.total_seconds()):
        if found.level == "ok":
            facts.append(f"http: {found.text}")
        else:
            yield Problem(found.text, ("http", "bind"), config.shown)
