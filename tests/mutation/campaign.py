"""A pytest plugin that runs tests on mutants instead of on the code as it is."""

import ast
import gc
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests.mutation.forked import KILLED, LIVED, run_forked
from tests.mutation.lines import ROOT, Executed, executed_by
from tests.mutation.lived import FILE, read_lived
from tests.mutation.mutations import Mutant, mutants
from tests.mutation.results import Results
from tests.mutation.swap import caches, functions_of, swap

# ruff: noqa: T201


@dataclass
class Campaign:
    """Tries the mutants of `modules`; `counts` and `new` are its results.

    With `again` it tries only those that lived when they were tried last and that nobody has read.
    """

    modules: list[Path]
    folder: Path
    budget_s: float
    first: int = 0
    limit: int | None = None
    only: str = ""
    again: bool = False
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        few = settings(
            settings.get_profile("patient"), max_examples=30, derandomize=True, database=None,
            phases=(Phase.explicit, Phase.generate),
        )  # fmt: skip
        settings.register_profile("mutation", few)
        settings.load_profile("mutation")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        executed = executed_by(session.items, self.folder)
        print(f"{len(executed)} of {len(items)} tests pass and execute lines of beatd", flush=True)
        known = read_lived(FILE.read_text())
        functions_by_path = {path: functions_of(path) for path in self.modules}
        for clear in caches():  # a test's table may hold what the code before the change made
            clear()
        gc.freeze()  # from here on, no collection visits what the forked processes share
        for path in self.modules:
            name = str(path.relative_to(ROOT))
            tree = ast.parse(path.read_text())
            functions = functions_by_path[path]
            kills = Counter[str]()
            for mutant in self._chosen(tree, name, known):
                began = time.monotonic()
                tests = self._tests(mutant, path, executed)
                tests = self._within_budget(tests, executed, kills)
                change = partial(swap, mutant, tree, path, functions)
                cpu = [executed[test].cpu_s for test in tests]
                code, n = run_forked(change, [items[test] for test in tests], cpu)
                if code == KILLED and tests:
                    kills[tests[n]] += 1
                result = {KILLED: "killed", LIVED: "lived"}.get(code, "not made")
                if result == "lived" and (name, mutant.key) not in known:
                    self.new.append(f"{name}:{mutant.lines.start} {mutant.key}")
                    print(f"{self.new[-1]}  [{len(tests)} tests]", flush=True)
                seconds = round(time.monotonic() - began, 3)
                self._results.add(name, mutant.key, result, tests=len(tests), seconds=seconds)
            last = self._results.of(name)
            self.counts[name] = Counter(
                known.get((name, mutant.key), "new")
                if last[mutant.key] == "lived"
                else last[mutant.key]
                for mutant in mutants(tree)
                if mutant.key in last
            )
        return True

    @property
    def _results(self) -> Results:
        return Results(self.folder / "results.jsonl")

    def _chosen(
        self, tree: ast.Module, name: str, known: dict[tuple[str, str], str]
    ) -> Iterator[Mutant]:
        end = None if self.limit is None else self.first + self.limit
        last = self._results.of(name)
        for mutant in list(mutants(tree))[self.first : end]:
            is_done = last.get(mutant.key) == "killed" or (name, mutant.key) in known
            if self.only in mutant.key and not (self.again and is_done):
                yield mutant

    def _tests(self, mutant: Mutant, path: Path, executed: dict[str, Executed]) -> list[str]:
        """Return the tests that execute a line of the mutant."""

        def with_lines(lines: range) -> list[str]:
            wanted = set(lines)
            return [
                test
                for test, done in executed.items()
                if (mutant.kind == "constant" or wanted & done.lines.get(str(path), frozenset()))
                and str(path) in done.lines
            ]

        return with_lines(mutant.lines) or with_lines(mutant.statement)

    def _within_budget(
        self, tests: list[str], executed: dict[str, Executed], kills: Counter[str]
    ) -> list[str]:
        """The fastest tests first, and early those that killed other mutants of this module."""
        tests = sorted(tests, key=lambda test: executed[test].cpu_s / (1 + 3 * kills[test]))
        ends = accumulate(executed[test].cpu_s for test in tests)
        return [test for test, end in zip(tests, ends, strict=True) if end <= self.budget_s]
