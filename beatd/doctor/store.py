"""Look at the store and the lock: do they answer, may this user write, what would they lose?"""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic

from beatd.clock import Clock
from beatd.config import Config, schemes
from beatd.config.embedded_folders import uncreatable_store
from beatd.doctor.daemons import daemon_findings
from beatd.doctor.finding import Finding
from beatd.doctor.server_settings import settings_findings
from beatd.doctor.versions import server_version
from beatd.errors import BeatError, StoreAbsent, StoreCopied
from beatd.presence import refusal_of
from beatd.schedules import zone
from beatd.schedules.moment import in_zone
from beatd.store import Roles
from beatd.stores.embedded.old_shelf import may_be_old
from beatd.stores.store_facts import StoreFacts
from beatd.wiring import backends
from beatd.wiring.configured_store import configured_store

CLOCK_MAX_S = 1.0  # that a host's clock may differ from the store's
SLOW_ANSWER_S = 0.1
IN_CHECK = "maxmemory-policy"  # an open store reports its eviction itself


def store_findings(config: Config, *, clock: Clock, timeout_s: float) -> Iterator[Finding]:
    """Yield what there is to say about the store.

    Nothing is created or upgraded: a store of an older beatd is not opened.
    """
    url, prefix = config.store.url, config.store.prefix
    if schemes.scheme_of(url) == "memory":
        text = "memory: lives within the daemon, and ends with it; name a file or a database"
        yield Finding("warning", "store", text)
        return
    try:
        facts = backends.store_facts(url, clock=clock, prefix=prefix, timeout=timeout_s)
    except StoreAbsent:
        trouble = uncreatable_store(config)
        text = trouble or "there is no store yet; `beatd run` creates it"
        yield Finding("error" if trouble else "ok", "store", text)
        return
    if facts is None:
        if may_be_old(_shelf_of(url)):
            text = "the shelf has the form of an older beatd; the next `beatd run` converts it"
            yield Finding("warning", "store", text)
            return
    else:
        yield from server_findings(facts, "store")
        yield from _schema(facts)
        yield from clock_findings(facts.host_ahead_s)
        if facts.refusal or not _is_current(facts):
            return
    yield from _opened(config, clock, timeout_s, facts)


def store_to_read(config: Config, *, clock: Clock, timeout_s: float) -> Roles | None:
    """Open the store and return it, or return None if that would create or upgrade one.

    Raises StoreError if the store does not answer.
    """
    url = config.store.url
    if schemes.scheme_of(url) == "memory":
        return None
    try:
        facts = backends.store_facts(
            url, clock=clock, prefix=config.store.prefix, timeout=timeout_s
        )
    except StoreAbsent:
        return None
    if may_be_old(_shelf_of(url)) if facts is None else not _is_current(facts):
        return None
    return _open(config, clock, timeout_s)


def _is_current(facts: StoreFacts) -> bool:
    # A store in Redis has no version: both are None.
    return facts.exists and facts.schema == facts.newest_schema


def _shelf_of(url: str) -> Path:
    return Path(url.removeprefix("shelve:"))


def _open(config: Config, clock: Clock, timeout_s: float) -> Roles:
    return Roles.of(configured_store(config, clock=clock, timeout_s=timeout_s, if_absent="refuse"))


def server_findings(facts: StoreFacts, subject: str) -> Iterator[Finding]:
    """Yield the findings about a server: its version, whether it takes writes, its settings."""
    name, too_old = server_version(facts.kind, facts.version)
    text = f"{name} at {facts.place} answers"
    if facts.refusal:
        yield Finding("ok", subject, text)
        yield Finding("error", subject, f"refuses writes: {facts.refusal.removeprefix('store ')}")
    else:
        yield Finding("ok", subject, f"{text} and takes writes")
    if too_old:
        yield Finding("error", subject, too_old)
    yield from settings_findings(facts, subject)


def clock_findings(ahead_s: float | None) -> Iterator[Finding]:
    """Yield a finding about the host's clock, which is `ahead_s` ahead of the store's.

    None means that the store has no clock of its own, so that there is nothing to compare.
    """
    if ahead_s is None:
        return
    apart = f"{abs(ahead_s) * 1000:.0f} ms" if abs(ahead_s) < 1 else f"{abs(ahead_s):.1f} s"
    word = "ahead of" if ahead_s >= 0 else "behind"
    text = f"this host is {apart} {word} the store"
    if abs(ahead_s) <= CLOCK_MAX_S:
        yield Finding("ok", "clock", f"{text}; up to {CLOCK_MAX_S:g} s is fine")
    else:
        yield Finding(
            "warning",
            "clock",
            f"{text}; up to {CLOCK_MAX_S:g} s is fine. Runs are on time by the store's clock, but "
            "workers judge `expires` and `eta` by their own; run chrony or systemd-timesyncd",
        )


def _schema(facts: StoreFacts) -> Iterator[Finding]:
    if facts.schema is not None and facts.newest_schema is not None:
        if facts.schema < facts.newest_schema:
            yield Finding(
                "warning",
                "store",
                f"its tables have version {facts.schema}, this beatd makes version "
                f"{facts.newest_schema}; the next `beatd run` upgrades them, so back them up first",
            )
        elif facts.schema > facts.newest_schema:
            text = f"its tables have version {facts.schema}, of a newer beatd than this one"
            yield Finding("warning", "store", f"{text}; upgrade this one")
    elif not facts.exists and not facts.refusal:
        yield Finding("ok", "store", "there is no store of beatd in it yet; `beatd run` creates it")


def _opened(
    config: Config, clock: Clock, timeout_s: float, facts: StoreFacts | None
) -> Iterator[Finding]:
    began = monotonic()
    store = _open(config, clock, timeout_s)
    with closing(store.place):
        if facts is None:
            refusal = refusal_of(store.presences)
            text = f"refuses writes: {refusal}" if refusal else "the file can be read and written"
            yield Finding("error" if refusal else "ok", "store", text)
        asked = monotonic()
        count = store.catalog.count()
        took_s = monotonic() - asked
        if took_s > SLOW_ANSWER_S:
            text = f"an answer takes {took_s * 1000:.0f} ms, so runs are late by as much"
            yield Finding("warning", "store", f"{text}; put it nearer")
        if (copied := store.catalog.marks.copied_to()) is not None:
            at = in_zone(copied.at, zone(config.timezone))
            yield Finding("error", "store", str(StoreCopied(copied.place, at)))
        noun = "entry" if count == 1 else "entries"
        yield Finding("ok", "store", f"{count} {noun}, opened in {(asked - began) * 1000:.0f} ms")
        for problem in store.place.problems():
            if IN_CHECK not in problem:
                yield Finding("warning", "store", problem)


def findings_in_store(
    config: Config, look: Callable[[Roles], Iterator[Finding]], *, clock: Clock, timeout_s: float
) -> Iterator[Finding]:
    """Yield what `look` finds in the store, or nothing if the store cannot be read."""
    try:
        store = store_to_read(config, clock=clock, timeout_s=timeout_s)
    except BeatError:  # the store's own probe says what is wrong
        return
    if store is not None:
        with closing(store.place):
            yield from look(store)


def daemons_in_store(config: Config, *, clock: Clock, timeout_s: float) -> Iterator[Finding]:
    """Yield what there is to say about the daemons that use the store."""

    def look(store: Roles) -> Iterator[Finding]:
        return daemon_findings(
            store.terms,
            store.presences,
            clock_max_s=CLOCK_MAX_S,
            copied=store.catalog.marks.copied_to() is not None,
        )

    return findings_in_store(config, look, clock=clock, timeout_s=timeout_s)


def lock_findings(config: Config, *, clock: Clock, timeout_s: float) -> Iterator[Finding]:
    """Yield what there is to say about a lock that lies elsewhere than the store."""
    url = config.lock.url
    if url is None or url in ("none", "none:", config.store.url):
        return
    try:
        facts = backends.store_facts(
            url, clock=clock, prefix=config.store.prefix, timeout=timeout_s
        )
    except StoreAbsent:
        yield Finding("ok", "lock", "there is no lock yet; `beatd run` creates it")
        return
    except BeatError as error:
        yield Finding("error", "lock", str(error).removeprefix("lock "))
        return
    if facts is not None:  # a lock that a restart loses is taken again, so only errors count
        for finding in server_findings(facts, "lock"):
            if finding.level != "warning":
                yield finding
