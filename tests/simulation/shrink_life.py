"""Make a life that breaks a promise shorter, while it still breaks the same one."""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from tests.simulation.bias import NONE
from tests.simulation.course import Course, Replay
from tests.simulation.decisions import MICROS, Decision, Script
from tests.simulation.planted_needs import NEEDS
from tests.simulation.rules import rule_of
from tests.simulation.scenario import play

TRIES_MAX, SECONDS_MAX = 1000, 60.0
Proposals = Generator[Script, bool | None, None]  # each is told whether it is taken
Smaller = Callable[[Script], Proposals]


@dataclass(frozen=True)
class Shrunk:
    script: Script
    rule: str
    tries: int
    faults_before: int


def replay(script: Script, course: Course | None = None, trace: list[str] | None = None) -> None:
    """Play a script; raise what its life breaks."""
    course = course or Replay(script)
    bias = NEEDS.get(script.needs, NONE)
    play(script.seed, overlap=script.overlap, bias=bias, trace=trace, course=course)


def broken_by(script: Script) -> tuple[str, int]:
    """Return the rule that a script breaks, or "", and the moment in microseconds."""
    course = Replay(script)
    try:
        replay(script, course)
    except Exception as broken:
        return rule_of(broken), course.micros
    return "", course.micros


def shrunk(
    seed: int,
    *,
    overlap: bool = False,
    needs: str = "",
    tries_max: int = TRIES_MAX,
    seconds_max: float = SECONDS_MAX,
    course: Course | None = None,
) -> Shrunk | None:
    """Return the shortest script that was found, or None if the life does not break again.

    As long as `seconds_max` do not pass, the same life always ends in the same script.
    """
    course = course or Course()
    try:
        play(seed, overlap=overlap, bias=NEEDS.get(needs, NONE), course=course)
    except Exception as broken:
        rule = rule_of(broken)
    else:
        return None
    script = course.script(seed, overlap=overlap, needs=needs)
    if broken_by(script)[0] != rule:
        return None
    search = Search(script, rule, tries_max, time.monotonic() + seconds_max)
    search.run()
    return Shrunk(search.best, rule, search.tries, len(script.faults))


@dataclass
class Search:
    best: Script
    rule: str
    tries_max: int
    ends_at: float
    tries: int = 0

    def run(self) -> None:
        steps: Sequence[Smaller] = (
            nothing_but_the_seed,
            without_what_came_after,
            with_calls_that_take_as_long,
            with_a_shorter_storm,
            without_one_kind,
            without_parts,
            without_hosts_and_entries,
        )
        before = None
        while before != self.best and not self.is_over:
            before = self.best
            for step in steps:
                self._take(step)

    @property
    def is_over(self) -> bool:
        return self.tries >= self.tries_max or time.monotonic() >= self.ends_at

    def _take(self, step: Smaller) -> None:
        """Try what a step proposes, and say to it whether the rule is still broken."""
        proposals, is_taken = step(self.best), None
        while not self.is_over:
            try:
                proposal = proposals.send(is_taken)
            except StopIteration:
                return
            is_taken = proposal != self.best and self._still_breaks(proposal)
            if is_taken:
                self.best = proposal

    def _still_breaks(self, proposal: Script) -> bool:
        self.tries += 1
        return broken_by(proposal)[0] == self.rule


def nothing_but_the_seed(script: Script) -> Proposals:
    plain = replace(script, pauses={}, detours={}, no_mischief=True)
    yield plain
    yield plain.only([])


def without_what_came_after(script: Script) -> Proposals:
    _, broken_at = broken_by(script)
    yield script.only([one for one in script.faults if one.at <= broken_at])


def with_calls_that_take_as_long(script: Script) -> Proposals:
    if (yield replace(script, pauses={})):
        script = replace(script, pauses={})
    if (yield replace(script, detours={})):
        script = replace(script, detours={})
    yield replace(script, no_mischief=True)


def with_a_shorter_storm(script: Script) -> Proposals:
    newest_s = max((one.at for one in script.faults), default=0) // MICROS + 1
    for storm_s in (1, newest_s // 4, newest_s // 2, newest_s * 3 // 4, newest_s):
        is_shorter = script.storm_s is None or storm_s < script.storm_s
        if storm_s and is_shorter and (yield replace(script, storm_s=float(storm_s))):
            return


def without_one_kind(script: Script) -> Proposals:
    for kind in dict.fromkeys(kind_of(one) for one in script.faults):
        others = [one for one in script.faults if kind_of(one) != kind]
        if (yield script.only(others)):
            script = script.only(others)


def kind_of(one: Decision) -> str:
    return one.what.split()[0] if one.where else one.who


def without_parts(script: Script) -> Proposals:
    """Leave out halves, then quarters, down to each single decision, the newest first."""
    faults = script.faults
    size = (len(faults) + 1) // 2
    while size:
        end = len(faults)
        while end > 0:
            begin = max(0, end - size)
            fewer = faults[:begin] + faults[end:]
            if (yield script.only(fewer)):
                faults = fewer
            end = begin
        size //= 2


def without_hosts_and_entries(script: Script) -> Proposals:
    # "file 0" stays: a set without entries removes nothing, and a daemon that starts without files
    # reads none later. Both would look like a broken S10.
    kinds = ("file", "alone", "entry", "zoned", "newer")
    names = [f"{kind} {n}" for kind in kinds for n in range(8) if f"{kind} {n}" != "file 0"]
    names += ["poison 8", "full 9", "c", "b", "a"]
    for size in (8, 4, 2, 1):
        there = [name for name in names if name not in script.without]
        for begin in range(0, len(there), size):
            fewer = replace(script, without=script.without | set(there[begin : begin + size]))
            if (yield fewer):
                script = fewer
