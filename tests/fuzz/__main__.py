"""Fuzz targets: `python -m tests.fuzz [TARGET…] --inputs N --seed S --jobs J`; see --help."""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.fuzz import corpus
from tests.fuzz.campaign import Report
from tests.fuzz.processes import run_all
from tests.fuzz.targets import TARGETS


def main(words: Sequence[str]) -> int:
    """Run the campaigns, print a table, and return 1 if there is a finding, else 0."""
    given = _parser().parse_args(words)
    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    if given.list:
        for target in TARGETS.values():
            console.print(f"{target.name:16} {target.about}")
        return 0
    names = given.targets or list(TARGETS)
    if unknown := [name for name in names if name not in TARGETS]:
        console.print(f"there is no target {unknown[0]}; there are {', '.join(TARGETS)}")
        return 2
    if given.file:
        return _replay(names[0], given.file, console)
    inputs = {
        name: max(1, given.inputs // (TARGETS[name].weight if given.weighted else 1))
        for name in names
    }
    reports = run_all(
        inputs, seed=given.seed, jobs=given.jobs, folder=given.corpus,
        say=lambda line: console.print(line, markup=False),
    )  # fmt: skip
    console.print(_table(reports))
    found = [(report.target, finding) for report in reports for finding in report.findings]
    for name, finding in found:
        console.print(
            f"\n{name}: {finding.what}\n  {finding.path}\n{finding.details}", markup=False
        )
    console.print(f"seed {given.seed}; {len(found)} findings")
    return 1 if found else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description="Give targets inputs made from kept ones. A finding is an exception that the "
        "target may not raise, a call of more than a second, or memory that grows. A failing input "
        "is made smaller and written into tests/fuzz/corpus/TARGET/. Exit code 1: there is one.",
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="by default all")
    parser.add_argument("--inputs", type=int, default=10_000, help="of each target (10000)")
    parser.add_argument(
        "--seed", type=int, default=1, help="the same one makes the same inputs (1)"
    )
    parser.add_argument("--jobs", type=int, default=1, help="targets at once (1)")
    parser.add_argument(
        "--weighted", action="store_true", help="give a slow target fewer inputs (of its weight)"
    )
    parser.add_argument("--corpus", type=Path, default=corpus.FOLDER, help="for failing inputs")
    parser.add_argument("--file", type=Path, help="only call TARGET with the bytes of this file")
    parser.add_argument("--list", action="store_true", help="list the targets")
    return parser


def _replay(name: str, file: Path, console: Console) -> int:
    with tempfile.TemporaryDirectory() as place, TARGETS[name].opened(Path(place)) as call:
        try:
            console.print(call(file.read_bytes()), markup=False)
        except TARGETS[name].refusals as refusal:
            console.print(f"{type(refusal).__name__}: {refusal}", markup=False)
    return 0


def _table(reports: Sequence[Report]) -> Table:
    table = Table(box=None)
    for head in (
        "target",
        "inputs",
        "inputs/s",
        "outcomes",
        "lines",
        "slowest ms",
        "growth MB",
        "findings",
    ):
        table.add_column(head, justify="left" if head == "target" else "right")
    for one in reports:
        table.add_row(
            one.target, f"{one.inputs:,}", f"{one.inputs / max(one.seconds, 1e-3):,.0f}",
            f"{one.outcomes:,}", f"{one.lines:,}", f"{one.slowest_ms:,.1f}",
            f"{one.growth_mb:,.1f}", str(len(one.findings)),
        )  # fmt: skip
    return table


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.environ.setdefault("COLUMNS", "150")
    sys.exit(main(sys.argv[1:]))
