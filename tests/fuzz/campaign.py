"""Give a target its kept inputs, then inputs made from them, and report what went wrong."""

import os
import random
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from statistics import median

from msgspec import Struct

from tests.fuzz import corpus
from tests.fuzz.attempt import Ended, attempt, is_slow
from tests.fuzz.mutate import Mutator
from tests.fuzz.shrink import shrunk
from tests.fuzz.target import Call, CallMany, Target
from tests.fuzz.watch import CPU_S, Lines, memory_mb, stopping, without_log

POOL_MAX = 3000  # inputs from which others are made
OUTCOMES_MAX = 20_000
TRACED_EACH = 40  # one of so many calls is traced, because a traced call is many times as slow
TRACED_EACH_LATER = 1000  # after TRACED_OFTEN inputs: a call seldom reaches a new line by then
TRACED_OFTEN = 10_000
TRACED_SLOWER = 20
PROGRESS_S = 30.0
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # files without a disk
MANY_FROM = 1000  # inputs; to open the store for many inputs takes some seconds
MADE_SHARE = 0.95  # of the inputs of a target that makes its own
GROWTH_FROM = 20_000  # inputs, after which caches are full
GROWTH_MB = 50.0
FINDINGS_MAX = 20


class Finding(Struct, frozen=True):
    what: str
    path: str
    details: str = ""


class Report(Struct, frozen=True):
    """What a campaign on one target did and found."""

    target: str
    inputs: int
    seconds: float
    outcomes: int
    lines: int
    slowest_ms: float
    growth_mb: float
    findings: tuple[Finding, ...]


class Campaign:
    """Runs `inputs` inputs through a target. `folder` gets the failing ones.

    `say` gets lines about the progress, and `before` each input before its call. With `traces`,
    inputs are also kept because they reach a new line of the product.
    """

    def __init__(
        self, target: Target, *, inputs: int, seed: int, folder: Path = corpus.FOLDER,
        say: Callable[[str], None] = lambda line: None, before: Callable[[bytes], None] = id,
        traces: bool = True,
    ) -> None:  # fmt: skip
        self._target, self._inputs, self._folder = target, inputs, folder
        self._say, self._before, self._traces = say, before, traces
        self._mutator = Mutator(f"{target.name}-{seed}", target.words)
        self._rng = random.Random(seed)
        self._pool: list[bytes] = []
        self._outcomes: set[str] = set()
        self._lines = Lines()
        self._slowest = 0.0
        self._many_s: deque[float] = deque(maxlen=31)
        self._wrong: dict[str, Finding] = {}
        self._done = 0

    def run(self) -> Report:
        begun = told = time.monotonic()
        first_mb = last_mb = 0.0
        with (
            tempfile.TemporaryDirectory(dir=MEMORY) as place,
            stopping(),
            without_log(),
            self._target.opened(Path(place)) as call,
            self._opened_many(Path(place)) as call_many,
        ):
            most = max(5, self._inputs // 2)
            each = 1 + self._target.weight // 5
            for place, data in enumerate(corpus.kept(self._target, most, self._rng)):
                self._try(call, data, traced=place % each == 0)
                self._pool.append(data)
            growth_from = min(GROWTH_FROM, self._inputs // 2)
            while self._done < self._inputs and len(self._wrong) < FINDINGS_MAX:
                often = self._done < TRACED_OFTEN and call_many is None
                each = TRACED_EACH if often else TRACED_EACH_LATER
                if call_many is not None and self._done % each:
                    room = self._inputs - self._done
                    self._try_many(
                        call, call_many, [self._made() for _ in range(min(self._target.many, room))]
                    )
                else:
                    data = self._made()
                    if self._try(call, data, traced=self._done % each == 0):
                        self._add(data)
                if not first_mb and self._done >= growth_from:
                    first_mb = memory_mb() - self._own_mb()
                if time.monotonic() - told > PROGRESS_S:
                    told = time.monotonic()
                    self._say(self._progress(told - begun))
            last_mb = memory_mb() - self._own_mb()
        growth = last_mb - first_mb if first_mb else 0.0
        if growth > GROWTH_MB:
            what = f"memory grew by {growth:.0f} MB in {self._done - growth_from:,} inputs"
            self._wrong[what] = Finding(what, "")
        return Report(
            self._target.name, self._done, time.monotonic() - begun, len(self._outcomes),
            len(self._lines), self._slowest * 1000, growth, tuple(self._wrong.values()),
        )  # fmt: skip

    def _opened_many(self, place: Path) -> AbstractContextManager[CallMany | None]:
        opened = self._target.opened_many
        if opened is None or self._inputs < MANY_FROM:
            return nullcontext()
        return opened(place)

    def _made(self) -> bytes:
        if self._target.made is not None and self._rng.random() < MADE_SHARE:
            return self._target.made(self._rng)
        return self._mutator.made(self._pool)

    def _try_many(self, call: Call, call_many: CallMany, inputs: Sequence[bytes]) -> None:
        # Call the target with all inputs at once. If that fails, halve them, down to single ones.
        self._before(b"\n".join(inputs))
        alone: list[bytes] = []

        def together(_: bytes) -> str:
            alone.extend(call_many(inputs))
            return ""

        ended = attempt(together, self._target, b"", slower=TRACED_SLOWER)
        usual = median(self._many_s) if self._many_s else ended.seconds
        too_long = ended.seconds > usual + CPU_S
        if not ended.outcome and not too_long:
            self._done += len(inputs) - len(alone)
            if len(inputs) == self._target.many:
                self._many_s.append(ended.seconds)
        elif len(inputs) > 1:
            half = len(inputs) // 2
            before = len(self._wrong)
            self._try_many(call, call_many, inputs[:half])
            self._try_many(call, call_many, inputs[half:])
            if ended.wrong and len(self._wrong) == before and ended.wrong not in self._wrong:
                self._find_together(inputs, ended)
            return
        else:
            alone = list(inputs)
        for data in alone:
            if self._try(call, data, traced=False):
                self._add(data)
        if ended.wrong and ended.wrong not in self._wrong and not too_long:
            self._find_together(inputs, ended)

    def _find_together(self, inputs: Sequence[bytes], ended: Ended) -> None:
        # Inputs that fail only beside each other or beside more rows: `call` alone finds nothing.
        path = corpus.keep(self._target, b"\n".join(inputs), self._folder / "together")
        self._wrong[ended.wrong] = Finding(f"{ended.wrong}, together", str(path), ended.details)
        self._say(f"{self._target.name}: {ended.wrong}, together: {path}")

    def _try(self, call: Call, data: bytes, *, traced: bool) -> bool:
        # True if the input made the product do something that no earlier input did.
        self._done += 1
        self._before(data)
        traced = traced and self._traces
        lines = len(self._lines)
        if traced:
            with self._lines.traced():
                ended = attempt(call, self._target, data, slower=TRACED_SLOWER)
        else:
            ended = attempt(call, self._target, data)
            self._slowest = max(self._slowest, ended.seconds)
        wrong = ended.wrong
        if not wrong and not traced and ended.seconds > CPU_S:
            wrong = "more than 1 s" if is_slow(call, self._target, data, ended) else ""
        if wrong and wrong not in self._wrong:
            self._find(call, data, wrong, ended.details)
        new = ended.outcome not in self._outcomes and len(self._outcomes) < OUTCOMES_MAX
        if new:
            self._outcomes.add(ended.outcome)
        return (new or len(self._lines) > lines) and not ended.wrong

    def _find(self, call: Call, data: bytes, wrong: str, details: str) -> None:
        is_slow_one = wrong.startswith(("hang", "more than"))
        smaller = data
        if not is_slow_one:
            smaller = shrunk(data, lambda one: attempt(call, self._target, one).wrong == wrong)
        path = corpus.keep(self._target, smaller, self._folder)
        self._wrong[wrong] = Finding(wrong, str(path), details)
        self._say(f"{self._target.name}: {wrong}: {path}")

    def _own_mb(self) -> float:
        # What the campaign itself keeps is no growth of the product.
        kept = sum(len(data) + 50 for data in self._pool)
        return (kept + 250 * len(self._outcomes) + 200 * len(self._lines)) / 2**20

    def _add(self, data: bytes) -> None:
        if len(data) > 4000 and self._rng.random() < 0.7:
            return
        if len(self._pool) < POOL_MAX:
            self._pool.append(data)
        else:
            self._pool[self._rng.randrange(POOL_MAX)] = data

    def _progress(self, seconds: float) -> str:
        return (
            f"{self._target.name}: {self._done:,} of {self._inputs:,}, "
            f"{self._done / seconds:,.0f}/s, "
            f"{len(self._outcomes):,} outcomes, {len(self._lines):,} lines, "
            f"{len(self._wrong)} findings"
        )
