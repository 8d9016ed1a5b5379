"""Several processes that edit the same entries at once lose nothing."""

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beatd import editing
from beatd.catalog import Query
from beatd.clock import SystemClock
from beatd.definition import codec, entry_from
from beatd.errors import BeatError, Conflict, UnknownEntry
from beatd.patching import patch_of
from beatd.wiring import open_store
from tests.cli import test_every_store as places

ENTRIES = 50
Server = Callable[[str], tuple[str, int]]
Done = tuple[dict[str, int], int, str]


@pytest.fixture(params=places.STORES, ids=lambda store: store.__name__)
def where(request: pytest.FixtureRequest, tmp_path: Path, server: Server) -> Iterator[Any]:
    """URL and prefix."""
    import yaml

    stores = request.param(tmp_path, server)
    found = yaml.safe_load(next(stores))
    yield (found["url"], found["prefix"]) if isinstance(found, dict) else (found, "beatd:")
    next(stores, None)


def edit(where: tuple[str, str], me: int, seconds: float, answers: Any) -> None:
    """Each process owns one argument of every entry, and an entry of its own that comes and goes;
    all of them pause and resume."""
    url, prefix = where
    store = open_store(url, codec=codec, clock=SystemClock(), prefix=prefix)
    chance, acknowledged, edits, wrong = random.Random(me), dict[str, int](), 0, ""
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            edits += 1
            now = editing.present(store, SystemClock())
            name = f"e{chance.randrange(ENTRIES)}"
            editing.patch(store, name, patch_of({f"kwargs.p{me}": edits}), now)
            acknowledged[name] = edits
            if edits % 5 == 0:
                act = chance.choice((editing.pause, editing.resume))
                act(store, [name], now)
            if edits % 7 == 0:
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
    answers.put((me, acknowledged, edits, wrong))


def race(where: tuple[str, str], processes: int, seconds: float) -> int:
    store = open_store(where[0], codec=codec, clock=SystemClock(), prefix=where[1])
    now = editing.present(store, SystemClock())
    store.write(
        [
            editing.new(entry_from(f"e{n}", {"task": "t", "every": "1m"}), now)
            for n in range(ENTRIES)
        ]
    )
    # Imports once for all of them, and no connection is inherited.
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__, "beatd.stores.sql", "beatd.stores.redis"])
    answers = server.Queue()
    workers = [
        server.Process(target=edit, args=(where, me, seconds, answers)) for me in range(processes)
    ]
    for worker in workers:
        worker.start()
    done = [answers.get(timeout=seconds + 60) for _ in workers]
    for worker in workers:
        worker.join(30)
    assert [wrong for *_, wrong in done if wrong] == []
    found = {row.entry.name: row for row in store.find(Query())}
    for me, acknowledged, _, _ in done:
        for name, last in acknowledged.items():
            assert found[name].entry.kwargs[f"p{me}"] == last, (name, me)
    for row in found.values():
        assert row.paused == (row.plan.planned is None)
    store.close()
    return sum(edits for _, _, edits, _ in done)


def test_no_edit_of_four_processes_is_lost(where: tuple[str, str]) -> None:
    assert race(where, processes=4, seconds=1.0) > 8


@pytest.mark.long
def test_no_edit_of_eight_processes_is_lost_in_a_minute(where: tuple[str, str]) -> None:
    assert race(where, processes=8, seconds=60.0) > 8
