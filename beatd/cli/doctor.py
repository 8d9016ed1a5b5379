"""Try every connection of a configuration, and say what would do (`beatd doctor`)."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from beatd.cli.colours import may_have_colours
from beatd.cli.config_option import ConfigOption, as_json, takes_config
from beatd.cli.failure import EXIT_FAILED

if TYPE_CHECKING:
    from beatd.doctor.finding import Finding

COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}
TIMEOUT_S = 10.0  # of everything
WAIT_S = 2.0  # of one answer


@click.command()
@click.option(
    "--timeout",
    metavar="DURATION",
    default=f"{TIMEOUT_S:g}s",
    show_default=True,
    help="How long everything may take together.",
)
@as_json
@takes_config
def command(given: ConfigOption, timeout: str, json: bool) -> int:
    """Try every connection of a configuration, and say what would do.

    It checks the configuration as `beatd check` does, and then asks the store, the lock, the
    broker, the workers and the receivers of alerts. A line says what is well, what is doubtful and
    what is wrong. Nothing is changed, and nothing is sent. Ends with 1 if a line is an error.
    """
    from beatd.doctor.repeats import without_repeats

    findings: list[Finding] = []
    limit_s = _seconds(timeout)
    with _waiting(shown=not json) as waits_for:
        for finding in without_repeats(_findings(given, limit_s, waits_for)):
            findings.append(finding)
            if not json:
                waits_for("")
                _print(finding)
    errors = sum(finding.level == "error" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    if json:
        from beatd.cli.output import print_json

        print_json({"ok": not errors, "findings": findings})
    else:
        _print_summary(errors, warnings)
    return EXIT_FAILED if errors else 0


def _findings(
    given: ConfigOption, timeout_s: float, waits_for: "Callable[[str], object]"
) -> "Iterator[Finding]":
    """Yield the problems of the configuration and, if it can be used, what the probes find."""
    from beatd.cli.check import CheckReport
    from beatd.clock import SystemClock
    from beatd.doctor.examination import probes_of
    from beatd.doctor.finding import Finding
    from beatd.doctor.probing import findings_of
    from beatd.errors import BeatError
    from beatd.wiring.build import celery_app

    if given.config is None and given.app is None:
        given.load()  # raises the error that says which options would do
    report = CheckReport()
    report.add_configuration(given)
    for problem in report.problems:
        yield Finding("warning" if problem.warning else "error", "check", str(problem))
    config = report.config
    if config is None:
        return
    count, shown = len(report.entries), config.shown or given.app
    noun = "entry" if count == 1 else "entries"
    if not report.errors:
        yield Finding("ok", "check", f"{shown} can be used; it declares {count} {noun}")
    try:
        app = report.app or celery_app(config)
    except BeatError as error:
        if not report.errors:
            yield Finding("error", "check", str(error))
        return
    probes = probes_of(
        config,
        app,
        report.entries,
        clock=SystemClock(),
        timeout_s=min(config.broker.timeout.total_seconds(), timeout_s),
    )
    yield from findings_of(probes, timeout_s, waits_for=waits_for)


def _seconds(text: str) -> float:
    from beatd.schedules.duration import parse_duration

    try:
        found: timedelta = parse_duration(text)
    except ValueError as error:
        raise click.UsageError(f"--timeout: {error}") from None
    if not timedelta() < found <= timedelta(minutes=10):
        raise click.UsageError(f"--timeout: {text!r} is not between 0s and 10m")
    return found.total_seconds()


def _print(finding: "Finding") -> None:
    from rich.table import Table
    from rich.text import Text

    from beatd.cli.escapes import visible
    from beatd.cli.output import print_rich

    table = Table.grid(padding=(0, 2))
    table.add_column(width=len("warning"), no_wrap=True)
    table.add_column(width=len("versions"), no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(
        Text(finding.level, COLOURS[finding.level]),
        Text(finding.subject, "dim"),
        Text(visible(finding.text)),
    )
    print_rich(table)


def _print_summary(errors: int, warnings: int) -> None:
    counts = [_count(errors, "error")] if errors else []
    counts += [_count(warnings, "warning")] if warnings else []
    colour = "red" if errors else "yellow" if warnings else "green"
    click.echo(click.style(", ".join(counts) or "all is well", fg=colour))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@contextmanager
def _waiting(*, shown: bool) -> "Iterator[Callable[[str], object]]":
    """Return a function that shows on a terminal for which part the command waits; "" for none."""
    if not shown or not sys.stderr.isatty() or not may_have_colours():
        yield lambda subject: None
        return
    from rich.console import Console

    status = Console(stderr=True).status("")

    def waits_for(subject: str) -> None:
        if subject:
            status.update(f"asking: {subject}")
            status.start()
        else:
            status.stop()

    try:
        yield waits_for
    finally:
        status.stop()
