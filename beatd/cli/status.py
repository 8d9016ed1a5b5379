"""beatd status"""

from typing import TYPE_CHECKING, Any

import click

from beatd.cli.given import as_json
from beatd.cli.opened import Asked, takes_store

if TYPE_CHECKING:
    from beatd.cli.opened import Open


@click.command()
@click.option("--shadow", is_flag=True, help="What beatd --shadow saw of another scheduler.")
@as_json
@takes_store
def command(asked: Asked, json: bool, shadow: bool) -> int:
    """Show who leads, how late it is and what is wrong; 1 when nobody leads or a server is away."""
    if shadow:
        from beatd.cli.shadowed import show

        return show(asked.config(), json=json)
    from beatd.cli.output import print_json
    from beatd.errors import StoreError
    from beatd.mustered import away, status_in

    config = asked.config()
    try:
        with asked.open(config) as opened:
            found = status_in(opened.store, opened.now, _conflicts(opened))
    except StoreError as error:
        found = away(str(error))
    if json:
        print_json(found)
    else:
        _print(found)
    well = found["store"]["ok"] and found["leader"] is not None and found["broker"]["ok"]
    return 0 if well else 1


def _conflicts(opened: "Open") -> list[str]:
    """What applying the files of the configuration would find held by others."""
    config = opened.config
    if not config.shown or not (config.entries or config.schedules):
        return []
    from beatd.applying import compare
    from beatd.clock import SystemClock
    from beatd.sources.files import Files

    declared = Files(config, SystemClock()).read().declared
    found = compare(opened.store, declared, opened.now)
    return [str(held) for held in found.conflicts]


def _print(found: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    from beatd.cli.output import print_rich

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value, style in _lines(found):
        table.add_row(Text(key), Text(value, style))
    print_rich(table)


def _lines(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    store, leader = found["store"], found["leader"]
    if not store["ok"]:
        return [("store", f"does not answer: {store['error']}", "red")]
    lines = [("store", "answers", "green")]
    if leader is None:
        lines.append(("leader", "nobody leads; is a daemon running?", "red"))
    else:
        lines.append(("leader", f"{_who(leader)}, since {leader['since']}", "green"))
        ok = found["broker"]["ok"]
        lines.append(("broker", "answers" if ok else "does not answer", "green" if ok else "red"))
    if found["term"] is not None:
        lines.append(("term", str(found["term"]), ""))
    standbys = ", ".join(_who(other) for other in found["standbys"]) or "none"
    lines.append(("standbys", standbys, ""))
    if leader is not None:
        how = "at once" if found["atomic"] else "in steps: claim, publish, record"
        lines.append(("publishes", how, ""))
        late = found["lateness"]
        if late["p50"] is not None:
            figures = " · ".join(f"{key} {late[key] * 1000:.1f} ms" for key in late)
            lines.append(("lateness", figures, ""))
        if found["last_tick_age"] is not None:
            lines.append(("last tick", f"{found['last_tick_age']:.1f} s ago", ""))
    lines.append(("unknowns", str(found["unknowns"]), "yellow" if found["unknowns"] else ""))
    lines.append(("entries", str(found["entries"]), ""))
    for at, row in enumerate(found["next"]):
        lines.append(("next" if at == 0 else "", f"{row['due']}  {row['name']}", ""))
    for at, text in enumerate(found["conflicts"]):
        lines.append(("conflicts" if at == 0 else "", text, "yellow"))
    return lines


def _who(person: dict[str, Any]) -> str:
    return f"{person['name']} ({person['host']}, pid {person['pid']})"
