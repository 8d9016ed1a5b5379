"""Edits beside other edits and beside daemons: none is lost, and no moment runs twice for them."""

import multiprocessing
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from beatd.catalog import Change, Query, Stored
from beatd.changes import Author
from beatd.clock import SystemClock
from beatd.definition import codec, entry_from
from beatd.edits import editing, entry_change, pausing, replan
from beatd.edits.apply_declared import apply
from beatd.edits.declared_set import Declared, digest_of
from beatd.edits.patch import patch_of
from beatd.engine.tick import Tick
from beatd.errors import BeatError, Conflict, UnknownEntry
from beatd.wiring.backends import open_store
from tests.cli import test_every_store as places
from tests.fake_clock import FakeClock
from tests.fleet import Fleet

ENTRIES = 50
PATIENCE_S = 280  # a busy machine is slow
Server = Callable[[str], tuple[str, int]]


@pytest.fixture(params=places.STORES, ids=lambda store: store.__name__)
def where(request: pytest.FixtureRequest, tmp_path: Path, server: Server) -> Iterator[Any]:
    """URL and prefix."""
    import yaml

    stores = request.param(tmp_path, server)
    found = yaml.safe_load(next(stores))
    yield (found["url"], found["prefix"]) if isinstance(found, dict) else (found, "beatd:")
    next(stores, None)


def edit(where: tuple[str, str], me: int, edits: int, answers: Any) -> None:
    """Each process owns one argument of every entry, and an entry of its own that comes and goes;
    all of them pause and resume."""
    url, prefix = where
    store = open_store(url, codec=codec, clock=SystemClock(), prefix=prefix, timeout=60.0)
    chance, acknowledged, wrong = random.Random(me), dict[str, int](), ""
    try:
        for number in range(1, edits + 1):
            now = partial(editing.present, store, SystemClock())
            name = f"e{chance.randrange(ENTRIES)}"
            editing.patch(store, name, patch_of({f"kwargs.p{me}": number}), now)
            acknowledged[name] = number
            if number % 5 == 0:
                act = chance.choice((pausing.pause, pausing.resume))
                act(store, [name], now, Author("ann"))
            if number % 7 == 0:
                entry = entry_from("shared", {"task": "t", "every": "1m", "args": [me]})
                try:
                    editing.add(store, entry, now)
                except Conflict:
                    try:
                        editing.remove(store, ["shared"])
                    except UnknownEntry:
                        continue
    except BeatError as error:
        wrong = f"{type(error).__name__}: {error}"
    store.close()
    answers.put((me, acknowledged, wrong))


def race(where: tuple[str, str], processes: int, edits: int) -> None:
    """Let each process make so many edits; no acknowledged one is lost."""
    store = open_store(where[0], codec=codec, clock=SystemClock(), prefix=where[1])
    now = editing.present(store, SystemClock())
    store.write(
        [
            entry_change.added(entry_from(f"e{n}", {"task": "t", "every": "1m"}), now, None)
            for n in range(ENTRIES)
        ]
    )
    # Imports once for all of them, and no connection is inherited.
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__, "beatd.stores.sql", "beatd.stores.redis"])
    answers = server.Queue()
    workers = [
        server.Process(target=edit, args=(where, me, edits, answers)) for me in range(processes)
    ]
    for worker in workers:
        worker.start()
    done = [answers.get(timeout=PATIENCE_S) for _ in workers]
    for worker in workers:
        worker.join(PATIENCE_S)
    assert [wrong for *_, wrong in done if wrong] == []
    found = {row.entry.name: row for row in store.find(Query())}
    for me, acknowledged, _ in done:
        assert acknowledged
        for name, last in acknowledged.items():
            assert found[name].entry.kwargs[f"p{me}"] == last, (name, me)
    for row in found.values():
        assert row.paused == (row.plan.due is None)
    store.close()


def test_no_edit_of_four_processes_is_lost(where: tuple[str, str]) -> None:
    race(where, processes=4, edits=20)


@pytest.mark.long
def test_none_of_thousands_of_edits_of_eight_processes_is_lost(where: tuple[str, str]) -> None:
    race(where, processes=8, edits=1000)


# beside a daemon that claims


class Slow:
    """A store that is reached late: something happens before the first write does."""

    def __init__(self, fleet: Fleet, meanwhile: Callable[[], None]) -> None:
        self._store, self._meanwhile = fleet.store, meanwhile
        self.written = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        self.written += 1
        if self.written == 1:
            self._meanwhile()
        return self._store.write(changes)


def lives(fleet: Fleet, engine: Tick, seconds: float) -> Callable[[], None]:
    return lambda: fleet.live([engine], fleet.clock.now() + timedelta(seconds=seconds))


def run_twice(fleet: Fleet) -> list[str]:
    count = Counter(run.task_id for run in fleet.broker.arrived)
    return [id for id, times in count.items() if times > 1]


def fifty(**plain: Any) -> Declared:
    entries = tuple(
        entry_from(f"e{n}", {"task": "t", "every": "10s", **plain}, source="yaml:config")
        for n in range(50)
    )
    return Declared(
        source="yaml:config",
        entries=entries,
        loaded_at=FakeClock().now(),
        digest=digest_of(entries),
    )


def test_an_edit_that_a_claim_overtook_runs_no_moment_twice() -> None:
    fleet = Fleet()
    engine = fleet.daemon()
    fleet.add("e", every="10s")
    lives(fleet, engine, 9.99)()
    slow: Any = Slow(fleet, lives(fleet, engine, 0.02))
    editing.patch(slow, "e", patch_of({"every": "5s"}), fleet.clock.now)
    lives(fleet, engine, 10)()
    assert slow.written == 2
    assert fleet.broker.planned() == [f"2026-03-01T00:00:{s}+00:00" for s in ("10", "15", "20")]


def test_a_set_that_claims_overtook_runs_no_moment_twice() -> None:
    fleet = Fleet()
    engine = fleet.daemon()
    apply(fleet.store, fifty(), fleet.clock.now)
    lives(fleet, engine, 8)()
    slow: Any = Slow(fleet, lives(fleet, engine, 5))
    done = apply(slow, fifty(dst_gap="skip"), fleet.clock.now)
    assert (len(done.changed), slow.written) == (50, 2)
    lives(fleet, engine, 10)()
    assert (len(fleet.broker.arrived), run_twice(fleet)) == (100, [])


def test_a_set_that_took_long_to_compare_fires_nothing_past() -> None:
    fleet = Fleet()
    engine = fleet.daemon()
    apply(fleet.store, fifty(enabled=False), fleet.clock.now)
    find = fleet.store.find

    def slowly(query: Query) -> Iterator[Stored]:
        yield from find(query)
        fleet.clock.advance(seconds=35)

    slow: Any = Slow(fleet, lambda: None)
    slow.find = slowly
    applied_at = fleet.clock.now() + timedelta(seconds=35)
    apply(slow, fifty(), fleet.clock.now)
    lives(fleet, engine, 10)()
    assert len(fleet.broker.arrived) == 50
    assert all(run.occurrence.planned > applied_at for run in fleet.broker.arrived)


def test_an_edit_made_again_counts_from_the_moment_it_is() -> None:
    fleet = Fleet()
    fleet.add("e", every="10s", enabled=False)

    def meanwhile() -> None:
        fleet.clock.advance(seconds=60)
        editing.patch(fleet.store, "e", patch_of({"args": [1]}), fleet.clock.now)

    slow: Any = Slow(fleet, meanwhile)
    row = editing.patch(slow, "e", patch_of({"enabled": True}), fleet.clock.now)
    assert row.plan.planned is not None and row.plan.planned > fleet.clock.now()
    assert row.entry.args == (1,)


def test_rules_that_claims_overtook_run_no_moment_twice() -> None:
    fleet = Fleet()
    engine = fleet.daemon()
    fleet.add("e", every="10s")
    (row,) = fleet.store.find(Query())
    assert row.plan.planned is not None
    older = replace(row.plan, rules="1999a/1", due=row.plan.planned + timedelta(seconds=1))
    fleet.store.write([Change("e", row.revision, row.entry, older, progress=row.progress)])
    lives(fleet, engine, 9)()
    slow: Any = Slow(fleet, lives(fleet, engine, 3))
    assert replan.replan(slow, fleet.store, fleet.clock.now) == 0
    assert slow.written == 1
    lives(fleet, engine, 10)()
    assert (len(fleet.broker.arrived), run_twice(fleet)) == (2, [])
