"""A reload leaves nothing of the daemon that ended, and an edit nothing of the entry as it was: no
object, no thread, no descriptor."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.conftest import SOME_PLACES
from tests.daemon.test_service import free_port

Server = Callable[[str], tuple[str, int]]
COUNTS, WARM, SOME = 12, 3, 3  # the first are not looked at; some of the next and of the last are
GAP = COUNTS - WARM - 2 * SOME + 1  # reloads between those
PLAIN = {f"builtins.{kind}" for kind in ("tuple", "list", "dict", "set", "cell", "function")}
NOISE = 5 * GAP  # plain values come and go in numbers
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("places", SOME_PLACES, indirect=True)
def test_a_reload_leaves_nothing_behind(places: dict[str, str], tmp_path: Path) -> None:
    check_that_nothing_is_left("reload", places, tmp_path)


# All databases keep what they know of an entry in the same way, and all embedded stores do.
@pytest.mark.parametrize(
    "places",
    [
        "sqlite",
        "redis",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("memory", "shelve")),
        pytest.param("sqlite and rabbitmq", marks=pytest.mark.long),
    ],
    indirect=True,
)
def test_an_edit_leaves_nothing_behind(places: dict[str, str], tmp_path: Path) -> None:
    check_that_nothing_is_left("edit", places, tmp_path)


def check_that_nothing_is_left(what: str, places: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    sections = {
        **places,
        "http": f"{{bind: '127.0.0.1:{free_port()}'}}",
        "log": "{level: error}",
        "defaults": "{options: {queue: reloads, expires: 1}}",
        "entries": "{tick: {task: t, every: 0.1}, tock: {task: t, cron: '* * * * *'}}",
    }
    path.write_text("".join(f"{key}: {value}\n" for key, value in sections.items()))
    # What one daemon leaves by chance (a cache that was filled late) the next one does not leave. A
    # leak is left by both.
    left = what_is_left(path, what)
    assert not left or not left & what_is_left(path, what)


def what_is_left(path: Path, what: str) -> set[str]:
    """Run a daemon, and return the kinds of things that each of its reloads or edits left."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.daemon.count_objects", path, str(COUNTS), what],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        timeout=100,
        check=True,
    )
    counts: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(counts) == COUNTS
    # What comes and goes differs between two counts; what is left by each reload does in all.
    early, late = counts[WARM : WARM + SOME], counts[-SOME:]
    kinds = {kind for count in late for kind in count["objects"]}
    # Keys of the caches of moments, which are full only after thousands of runs. How many runs a
    # daemon had when it was counted depends on the load of the machine.
    kinds.discard("builtins.tuple")
    more = {kind: least(late, kind) - most(early, kind) for kind in kinds}
    left = {kind for kind, n in more.items() if n >= (NOISE if kind in PLAIN else GAP)}
    for kind in ("threads", "descriptors"):
        if min(c[kind] for c in late) - max(c[kind] for c in early) >= GAP:
            left.add(kind)
    return left


def least(counts: Iterable[dict[str, Any]], kind: str) -> int:
    return min(count["objects"].get(kind, 0) for count in counts)


def most(counts: Iterable[dict[str, Any]], kind: str) -> int:
    return max(count["objects"].get(kind, 0) for count in counts)
