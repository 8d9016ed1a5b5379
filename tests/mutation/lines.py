"""Which test executes which lines, and how long it takes: found once, then kept in a file."""

import hashlib
import os
import pickle
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.forked import passes
from tests.mutation.swap import caches

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Executed:
    """What one test that passes has executed: lines of each file."""

    lines: dict[str, frozenset[int]]
    cpu_s: float


def executed_by(items: Sequence[pytest.Item], folder: Path) -> dict[str, Executed]:
    """Return what each test executes, by the test's id; a test that fails or is skipped is not
    there. A forked process runs them, so that this process has run nothing."""
    kept = folder / f"lines-{_digest(_shared_files())}.pickle"
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, Executed | None] = pickle.loads(kept.read_bytes()) if kept.exists() else {}
    digests = {path: _digest([path]) for path in {item.path for item in items}}
    keys = {item.nodeid: f"{item.nodeid} {digests[item.path]}" for item in items}
    missing = [item for item in items if keys[item.nodeid] not in found]
    if missing:
        pid = os.fork()
        if not pid:
            try:
                done = _execute(missing)
                found |= {keys[item.nodeid]: done.get(item.nodeid) for item in missing}
                kept.with_suffix(".new").write_bytes(pickle.dumps(found))
                kept.with_suffix(".new").rename(kept)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        found = pickle.loads(kept.read_bytes())
    return {test: done for test, key in keys.items() if (done := found[key]) is not None}


def _shared_files() -> list[Path]:
    """All of beatd, and what the tests share: a change there makes all that was found useless."""
    shared = [path for path in ROOT.glob("tests/**/*.py") if not path.name.startswith("test_")]
    return [*ROOT.glob("beatd/**/*.py"), *(p for p in shared if p.parent != Path(__file__).parent)]


def _digest(paths: Iterable[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(paths))).hexdigest()[:16]


def _execute(items: Iterable[pytest.Item]) -> dict[str, Executed]:
    found = {}
    clears = caches()
    for item in items:
        for clear in clears:  # else only the first test would execute what a cache keeps
            clear()
        lines: dict[str, set[int]] = {}
        trace = _tracing(lines)
        began = time.process_time()
        threading.settrace(trace)
        sys.settrace(trace)
        try:
            passed = passes(item, None)
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]
        if passed and lines:
            kept = {name: frozenset(numbers) for name, numbers in lines.items()}
            found[item.nodeid] = Executed(kept, time.process_time() - began)
    return found


def _tracing(lines: dict[str, set[int]]) -> Any:
    inside = str(ROOT / "beatd") + "/"

    def enter(frame: Any, event: str, _: Any) -> Any:
        path = frame.f_code.co_filename
        if not path.startswith(inside):
            return None
        add = lines.setdefault(path, set()).add

        def step(frame: Any, event: str, _: Any) -> Any:
            add(frame.f_lineno)
            return step

        add(frame.f_lineno)
        return step

    return enter
