"""The story of a life that breaks a promise, in sentences that a person can read."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from beatd.leader import Term
from beatd.ledger import Move, Result
from beatd.run import Run
from tests.simulation.course import Replay
from tests.simulation.decisions import Script
from tests.simulation.deployment import Deployment
from tests.simulation.rules import RULES, rule_of
from tests.simulation.shrink_life import replay
from tests.simulation.world import Process

LINES_MAX = 14
KEPT_AT_FIRST = 3
CLAIMS, ABOUT_A_RUN = {"store.claim", "store.step"}, {"publish", "store.record"}
_DATETIME = re.compile(r"datetime\.datetime\(([\d, ]+), tzinfo=[\w.]+\)")
_ISO = re.compile(r"\d{4}-\d\d-\d\d[ T](\d\d:\d\d:\d\d(?:\.\d+)?)(?:\+00:00)?")
_NAME = re.compile(r"\b(?:entry|file|alone|poison|full) \d+")
_OCCURRENCE = re.compile(r"Occurrence\(name='([^']+)', planned=(\S+), request='[^']*'\)")
_TRACED = re.compile(r" *([\d.]+) (.*)")
_EVENTS = {
    "LeadWon": "leads",
    "LeadLost": "leads no longer",
    "Refused": "has a claim refused",
    "StoreAway": "finds the store away",
    "BrokerAway": "finds the broker away",
    "ClockStepped": "notices that its clock was set",
}
_EDITS = {
    "remove": "removes",
    "add": "adds",
    "args": "changes the arguments of",
    "when": "changes when to run",
    "pause": "pauses",
    "resume": "resumes",
    "trigger": "asks for a run of",
    "backfill": "asks for the last runs of",
}
_NATURE = {
    "broker": "the broker is away for a while",
    "store": "the store is away for a while",
    "wipe": "the lease is wiped",
    "step": "the clock of a host is set",
    "freeze": "a daemon is frozen for a while",
    "crash": "a daemon crashes",
    "stop": "a daemon is stopped, and started again",
    "full": "one queue is full for a while",
    "clock": "the clock of the store is set",
    "clock, far": "the clock of the store is set by 2 s",
    "loss": "the store forgets what it acknowledged last",
    "upgrade": "older daemons are replaced by newer ones",
    "stale": "reads are answered from a copy for a while",
    "fail-over": "the store fails over to a server with another clock",
}


class Line(Struct, frozen=True):
    at: float
    text: str
    name: str = ""  # of the entry
    moment: datetime | None = None
    is_fault: bool = False

    def __str__(self) -> str:
        return f"{self.at:9.3f} s  {self.text}"


@dataclass
class Storyteller:
    """Writes down what happens in one life."""

    lines: list[Line] = field(default_factory=list)
    trace: "Heard" = field(init=False)
    _hands: dict[Process, Run] = field(default_factory=dict)  # what each deals with

    _leaders: set[Process] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.trace = Heard(self._traced)

    def __call__(self, deployment: Deployment) -> None:
        self._world, self._processes = deployment.world, deployment.processes
        truth: Any = deployment.truth
        truth.make = before(truth.make, self._claims)
        truth.publishes = before(truth.publishes, self._publishes)
        truth.arrive = before(truth.arrive, self._arrives)
        truth.recorded = before(truth.recorded, self._records)

    def _add(self, text: str, run: Run | None = None, **more: Any) -> None:
        if run is not None:
            more |= {"name": run.occurrence.name, "moment": run.occurrence.planned}
        self.lines.append(Line(self._world.elapsed(), text, **more))

    # what daemons do

    def _claims(self, move: Move, term: Term, *_: Any) -> None:
        process = self._world.process
        if process is None:
            return
        if move.run is None:
            if move.open_claim is not None:
                occurrence = move.open_claim.occurrence
                text = f"{daemon(process)} gives up the open claim of {occurrence.name}"
                self._add(text, name=occurrence.name, moment=occurrence.planned)
            return
        self._hands[process] = move.run
        verb = "takes over" if move.of == "claim" else "claims"
        self._add(f"{daemon(process)} {verb} {run_of(move.run)} in term {term.number}", move.run)

    def _publishes(self, process: Process, runs: Sequence[Run]) -> None:
        for run in runs:
            self._hands[process] = run
            self._add(f"{daemon(process)} publishes {run_of(run)}", run)

    def _arrives(self, process: Process, run: Run, **_: Any) -> None:
        self._add(f"the message of {run_of(run)} arrives at the broker", run)

    def _records(self, results: Sequence[Result]) -> None:
        process = self._world.process
        for result in results:
            if process is not None:
                outcome = result.outcome.sent
                text = f"{daemon(process)} records {run_of(result.run)} as {outcome}"
                self._add(text, result.run)

    # what the trace says

    def _traced(self, line: str) -> None:
        found = _TRACED.fullmatch(line)
        if found is None:
            return
        who, _, what = found.group(2).partition(" ")
        process = next((one for one in self._processes if one.name == who), None)
        if process is not None:
            self._of_daemon(process, what)
        elif who == "nature:":
            self._add(_NATURE.get(what, what), is_fault=True)
        elif who == "operator:":
            verb, _, name = what.partition(" ")
            self._add(f"an operator {_EDITS.get(verb, verb)} {name}", name=name, is_fault=True)
        elif who == "broker:":
            fate, _, name = what.rpartition(" of ")
            self._add(f"a message of {name} is {fate}", name=name, is_fault=True)
        elif who == "files:":
            name, _, is_there = what.rpartition(" ")
            verb = "declares" if is_there == "True" else "no longer declares"
            self._add(f"the file {verb} {name}", name=name, is_fault=self._world.micros > 0)
        elif who == "worker":
            self._add(f"worker {what}", is_fault=True)

    def _of_daemon(self, process: Process, what: str) -> None:
        if what == "LeadLost" and process not in self._leaders:
            return
        if what.startswith("Lead"):
            (self._leaders.add if what == "LeadWon" else self._leaders.discard)(process)
        if what in _EVENTS:
            self._add(f"{daemon(process)} {_EVENTS[what]}", is_fault=what.startswith("Lead"))
            return
        found = re.fullmatch(r"(\w+)( [\d.]+)? (before|after) (\S+)", what)
        if found is None:
            return
        kind, much, side, place = found.groups()
        text = {
            "crash": f"crashes {side} {place}",
            "freeze": f"is frozen for{much} s {side} {place}",
            "slow": f"waits{much} s for {place}",
            "error": f"has no connection for {place}",
            "lost": f"does not get the answer of {place}",
        }.get(kind, f"has a fault, {kind}, {side} {place}")
        run = self._hands.get(process)
        if run is not None and (place in ABOUT_A_RUN or (side == "after" and place in CLAIMS)):
            text += f" of {run_of(run)}"
        self._add(f"{daemon(process)} {text}", run, is_fault=True)


class Heard(list[str]):
    """A trace that is heard as it is written."""

    def __init__(self, hear: Callable[[str], None]) -> None:
        super().__init__()
        self._hear = hear

    def append(self, line: str) -> None:
        super().append(line)
        self._hear(line)


def before(effect: Callable[..., Any], tell: Callable[..., None]) -> Callable[..., Any]:
    def told(*args: Any, **more: Any) -> Any:
        tell(*args, **more)
        return effect(*args, **more)

    return told


def daemon(process: Process) -> str:
    host, _, number = process.name.partition(".")
    return f"daemon {host.upper()}{number}"


def run_of(run: Run) -> str:
    return f"{run.occurrence.name} (run {clock(run.occurrence.planned)})"


def clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}" + (f".{moment:%f}".rstrip("0") if moment.microsecond else "")


def story(script: Script, again: str = "", faults_before: int | None = None) -> list[str]:
    """Play a script; return what happened, which rule was broken and how to play it again."""
    teller = Storyteller()
    course = Replay(script, teller)
    try:
        replay(script, course, teller.trace)
    except Exception as broken:
        rule, at = rule_of(broken), course.micros / 1_000_000
        told = [str(line) for line in shortened(what_matters(teller.lines, str(broken)))]
        kind = "" if rule in RULES else f"{type(broken).__name__}: "
        told.append(f"{at:9.3f} s  broken: {kind}{plain(str(broken))}")
        of = "" if faults_before is None else f" of {faults_before}"
        head = f"seed {script.seed} with {len(script.faults)}{of} faults and edits"
        promise = f"rule {rule}: {RULES[rule]}" if rule in RULES else ""
        return [
            head,
            *told,
            *([promise] if promise else []),
            *([f"again: {again}"] if again else []),
        ]
    return [f"seed {script.seed}: all promises held"]


def what_matters(lines: Iterable[Line], broken: str) -> list[Line]:
    """Return faults, leaders, and what is about the entry, or the very run, that is broken."""
    names, moments = set(_NAME.findall(broken)), moments_in(broken)
    of_run = [one for one in lines if one.name in names and one.moment in moments]
    is_told = {id(one) for one in of_run}
    if not of_run:
        is_told |= {id(one) for one in [one for one in lines if one.name in names][-6:]}
    return [one for one in lines if one.is_fault or id(one) in is_told]


def shortened(lines: list[Line]) -> list[Line | str]:
    if len(lines) <= LINES_MAX:
        return list(lines)
    left_out = len(lines) - LINES_MAX
    dots = f"           … {left_out} more (--trace shows all)"
    return [*lines[:KEPT_AT_FIRST], dots, *lines[-(LINES_MAX - KEPT_AT_FIRST) :]]


def moments_in(text: str) -> set[datetime]:
    found = {moment_of(numbers) for numbers in _DATETIME.findall(text)}
    for one in _ISO.finditer(text):
        found.add(datetime.fromisoformat(one.group().removesuffix("+00:00")).replace(tzinfo=UTC))
    return found


def moment_of(numbers: str) -> datetime:
    year, month, day, *rest = (int(word) for word in numbers.split(","))
    return datetime(year, month, day, *rest, tzinfo=UTC)


def plain(text: str) -> str:
    """Return the text with times of the day in the place of what Python prints."""
    text = _DATETIME.sub(lambda found: clock(moment_of(found.group(1))), text)
    text = _ISO.sub(lambda found: found.group(1), text)
    text = re.sub(r"Term\(number=(\d+), token='\w*'\)", r"\1", text)
    text = _OCCURRENCE.sub(r"\1 (run \2)", text)
    text = re.sub(r"\b([abc])\.(\d+)\b", lambda one: f"daemon {one[1].upper()}{one[2]}", text)
    return re.sub(r"\('([^']+)', \d+, ([\d:.]+), '[^']*'\)", r"\1 (run \2)", text)
