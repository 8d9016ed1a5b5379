"""The figures of a case as a table for people."""

from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figures import ratio, row, shown

HEADLINE = {"herd": "per_second", "steady": "p99_ms", "scale": "ready_s"}
LEFT_OUT = ("twice", "settled_s", "cpu_until_then_s")


def show(found: dict[str, Any]) -> None:
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table(found))
    for who, runs in found["runs"].items():
        for run in runs:
            if "failed" in run or run.get("twice"):
                console.print(f"{who}: {run.get('failed') or 'messages sent twice'}", style="red")


def table(found: dict[str, Any]) -> Table:
    """Medians, with the range where the runs differ; the ratio is to the best peer."""
    good = {
        who: [run for run in runs if "failed" not in run] for who, runs in found["runs"].items()
    }
    rows = {who: row(runs) for who, runs in good.items() if runs}
    keys = list(dict.fromkeys(key for one in rows.values() for key in one if key not in LEFT_OUT))
    headline = HEADLINE[found["case"].split("-")[0]]
    peers = {who: one for who, one in rows.items() if not who.startswith(("beatd", "bare"))}
    size = f", {found['size']:,} entries" if found["size"] else ""
    made = Table("", *keys, f"{headline}: x best peer", title=f"{found['case']}{size}")
    for who, one in rows.items():
        cells = [cell(key, one.get(key)) for key in keys]
        others = [peer[headline]["median"] for peer in peers.values() if headline in peer]
        times = None
        if who not in peers and headline in one:
            times = ratio(headline, one[headline]["median"], others)
        made.add_row(who, *cells, "" if times is None else f"{times:.1f}x")
    return made


def cell(key: str, value: dict[str, float] | None) -> str:
    if value is None:
        return "-"
    middle, least, most = (shown(key, value[part]) for part in ("median", "least", "most"))
    return middle if least == most else f"{middle} ({least} … {most})"
