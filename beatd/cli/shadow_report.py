"""Print how `beatd --shadow` compares with another scheduler (`beatd status --shadow`)."""

from typing import TYPE_CHECKING

import click

from beatd.cli.escapes import echo
from beatd.cli.output import print_json, print_table

if TYPE_CHECKING:
    from beatd.config import Config

COLUMNS = ("agreed", "other_time", "missed", "doubled", "unplanned")
ENTRIES_SHOWN_MAX = 50


def show(config: "Config", *, json: bool) -> int:
    """Print where another scheduler sent other runs than beatd planned.

    Returns 1 if the two differ, 0 if they agree.
    """
    from beatd.shadow.report import read_report

    report = read_report(config)
    totals = {key: report.totals.get(key, 0) for key in COLUMNS}
    wrong = sum(totals[key] for key in COLUMNS[1:])
    paired = totals["agreed"] + wrong
    agreement = totals["agreed"] / paired if paired else None
    if json:
        print_json({**_plain(report), "totals": totals, "agreement": agreement})
        return int(wrong > 0)
    echo(f"from {report.since} to {report.until}")
    if not report.listening:
        click.secho("not listening: the shadow is stopped, or its broker is away", fg="yellow")
    if not report.heard:
        text = "nothing was heard: set task_send_sent_event = True where the other scheduler runs"
        click.secho(text, fg="yellow")
    if agreement is not None:
        click.echo(f"agreement {agreement:.2%} of {paired}")
    differing = {
        name: figures
        for name, figures in sorted(report.entries.items())
        if figures.other_time or figures.missed or figures.doubled or figures.unplanned
    }
    if differing:
        from rich.markup import escape

        rows = [
            [
                escape(name),
                *(str(getattr(figures, key)) for key in COLUMNS),
                f"{figures.apart:+.1f} s",
                escape(figures.examples[-1]) if figures.examples else "",
            ]
            for name, figures in list(differing.items())[:ENTRIES_SHOWN_MAX]
        ]
        headings = ("name", "agreed", "other time", "missed", "doubled", "unplanned")
        print_table((*headings, "apart", "last"), rows)
        if len(differing) > ENTRIES_SHOWN_MAX:
            click.echo(f"and {len(differing) - ENTRIES_SHOWN_MAX} more; --json has all")
    return int(wrong > 0)


def _plain(report: object) -> dict[str, object]:
    from msgspec import to_builtins

    plain: dict[str, object] = to_builtins(report)
    return plain
