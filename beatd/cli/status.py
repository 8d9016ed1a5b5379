"""Show the leading daemon, the lateness of runs, and current problems (`beatd status`)."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.config_option import as_json
from beatd.cli.failure import EXIT_FAILED

if TYPE_CHECKING:
    from beatd.cli.chosen_store import OpenedStore
    from beatd.config import Config

INCIDENTS_SHOWN_MAX = 5
LINE_MAX_CHARS = 200
HEADINGS_WIDTH = len("not received  ")
NAME_MIN_WIDTH = 16
NAME_MAX_WIDTH = 60  # of the entry of an incident, so that its text is not cut off
LEADER_SILENT_AFTER_S = 1.5  # a daemon announces itself once a second
NO_DAEMON_HERE = "no daemon runs here until `beatd store reopen`"
NEWEST_UNREAD = (
    "of the newest runs not known yet: no daemon leads, so nobody reads the reports of workers"
)
PUBLISHES = {  # by `atomic`
    True: "at once: claim, message and record",
    False: "in three steps: claim, message, record",
}
BROKER_STATES = {
    True: ("answers", "green"),
    False: ("does not answer", "red"),
    None: ("unknown: only daemons connect to it", "dim"),
}


@click.command()
@click.option(
    "--shadow", is_flag=True, help="Show how beatd --shadow compares with the other scheduler."
)
@as_json
@takes_store
def command(chosen: ChosenStore, json: bool, shadow: bool) -> int:
    """Show who leads, how late runs are and what is wrong.

    Ends with 1 when nobody leads, a server is away or a source of entries is invalid.
    """
    if shadow and chosen.daemon is not None:
        raise click.UsageError("--shadow does not work over the API of a daemon; leave out --url")
    if shadow:
        from beatd.cli.shadow_report import show

        return show(chosen.config(), json=json)
    from beatd.cli.output import print_json

    config = chosen.config_for_reading()
    found = _status(chosen, config) if chosen.daemon is None else chosen.daemon.api.get("status")
    if json:
        print_json(found)
    else:
        _print(found, config.timezone)
    well = found["store"]["ok"] and found["leader"] is not None and found["broker"]["ok"]
    # A daemon of an older beatd sends no "invalid_sources".
    return 0 if well and not found.get("invalid_sources") else EXIT_FAILED


def _status(chosen: ChosenStore, config: "Config") -> dict[str, Any]:
    """Return the status that the store shows."""
    from beatd.daemon.empty_status import status_without_store
    from beatd.daemon.store_status import status_in
    from beatd.errors import StoreError
    from beatd.presence import refusal_of

    try:
        with chosen.open(config) as opened:
            store = opened.store
            found = status_in(
                catalog=store.catalog,
                requests=store.requests,
                history=store.history,
                outcomes=store.outcomes,
                terms=store.terms,
                presences=store.presences,
                now=opened.now,
                incidents=store.incidents,
                conflicts=_problems(opened),
            )
            if refusal := refusal_of(store.presences):
                found["store"] |= {"ok": False, "error": f"it refuses writes: {refusal}"}
    except StoreError as error:
        found = status_without_store(str(error))
    return found


def _problems(opened: "OpenedStore") -> list[str]:
    """Return a line for each problem that `beatd apply` would find in the configuration's files.

    For a Django store, the conflicts that the leader found in its tables come first.
    """
    from beatd.config.schemes import DJANGO

    config, found = opened.config, list[str]()
    if config.store.url.startswith(DJANGO):
        from beatd.stores.django import SOURCE

        found = opened.store.catalog.marks.conflicts(f"{SOURCE}{config.name}")
    if not config.shown or not (config.entries or config.schedules):
        return found
    from beatd.clock import SystemClock
    from beatd.edits.apply_declared import compare
    from beatd.presence import INVALID_SOURCE
    from beatd.sources.files import Files

    reading = Files(config, SystemClock()).read()
    held_by_others = compare(opened.store.catalog, reading.declared).conflicts
    wrong = [f"{INVALID_SOURCE}{one}" for one in reading.problems if not one.warning]
    return [*found, *wrong, *(str(held) for held in held_by_others)]


def _print(found: dict[str, Any], tz: str) -> None:
    from rich.table import Table
    from rich.text import Text

    from beatd.cli.escapes import visible
    from beatd.cli.output import print_rich
    from beatd.cli.paged_table import terminal_width

    columns = terminal_width()
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value, style in _lines(found, tz, columns and columns - HEADINGS_WIDTH):
        table.add_row(Text(key), Text(visible(value), style))
    print_rich(table)


def _lines(found: dict[str, Any], tz: str, width: int | None) -> list[tuple[str, str, str]]:
    """Return (heading, text, style) of each line that `beatd status` prints.

    `found` is the output of `beatd status --json`; times are shown in the zone `tz`. `width` is
    that of the texts on a terminal, or None.
    """
    from beatd.cli.not_received_line import not_received_line
    from beatd.cli.paused_lines import paused_lines
    from beatd.cli.version_line import version_line
    from beatd.schedules.duration import length_text
    from beatd.views.needs_reload import needs_reload_text

    store, leader = found["store"], found["leader"]
    lines = [
        ("not applied", text.removeprefix(f"{Path.cwd()}/"), "red")
        for text in found.get("invalid_sources", ())
    ]
    if not store["ok"] and found["entries"] is None:
        return [*lines, ("store", f"does not answer: {store['error']}", "red")]
    answer = ("answers", "green") if store["ok"] else (f"answers, but {store['error']}", "red")
    lines.append(("store", *answer))
    if copied := found.get("copied_to"):  # a daemon of an older beatd does not send it
        copied_at = _at(copied["at"], tz)
        lines.append(("copied", f"to {copied['store']} at {copied_at}; {NO_DAEMON_HERE}", "red"))
    if leader is None:
        style = "yellow" if found.get("reloads_since") else "red"
        lines.append(("leader", _why_nobody_leads(found, tz), style))
    else:
        text, style = f"{_who(leader)}, since {_at(leader['since'], tz)}", "green"
        if found["last_seen_age"] > LEADER_SILENT_AFTER_S:
            text, style = f"{text}; last seen {found['last_seen_age']:.1f} s ago", "yellow"
        lines.append(("leader", text, style))
    if found["lock"]["ok"] is False:
        text = f"{found['lock']['daemon']} cannot use it: {found['lock']['error']}"
        lines.append(("lock", text, "red" if leader is None else "yellow"))
    answers, style = BROKER_STATES[found["broker"]["ok"]]
    error = found["broker"].get("error")
    lines.append(("broker", f"{answers}: {error}" if error else answers, style))
    standbys = ", ".join(_who(other) for other in found["standbys"]) or "none"
    lines.append(("standbys", standbys, ""))
    for one in found.get("led_before", ()):
        seen = f"{one['last_seen_age']:.1f} s ago"
        lines.append(("", f"no longer leads: {_who(one)}, last seen {seen}", "yellow"))
    lines += version_line(found.get("versions", ()))
    for one in found.get("needs_reload", ()):
        text = f"{one['name']}: {needs_reload_text(one['settings'])}"
        lines.append(("reload", text, "yellow"))
    if leader is not None:
        how = PUBLISHES[bool(found["atomic"])]
        lines.append(("publishes", how, ""))
        late = found["lateness"]
        if late["p50"] is not None:
            figures = " · ".join(f"{key} {_late(late[key])}" for key in late)
            lines.append(("lateness", figures, ""))
        if found["last_tick_age"] is not None:
            lines.append(("last tick", f"{found['last_tick_age']:.1f} s ago", ""))
    if found["went_back"]:
        lines.append(("went back", f"the store, in time: {found['went_back']}", "red"))
    lines.append(("open claims", str(found["unknowns"]), "yellow" if found["unknowns"] else ""))
    requests = found["requests"]
    if requests["count"]:
        oldest, least = requests["oldest"], "at least " if requests["at_least"] else ""
        text = (
            f"{least}{requests['count']} pending, first the {oldest['kind']} of {oldest['entry']}"
        )
        lines.append(("requests", text, "yellow"))
    since = {one["entry"]: one["opened"] for one in found["incidents"] if one["kind"] == "failed"}
    for at, one in enumerate(found["failing"]):
        many = f", {one['failures']} in a row" if one["failures"] > 1 else ""
        opened = since.get(one["entry"])
        incident = f", an incident since {_at(opened, tz)}" if opened else ""
        text = f"{one['entry']} ({one['reason']}{many}){incident}"
        lines.append(("failing" if at == 0 else "", text, "red"))
    for at, one in enumerate(found["running_long"]):
        long, since_text = length_text(one["limit"]), _at(one["since"], tz)
        text = f"{one['entry']} since {since_text}, longer than {long}"
        lines.append(("running" if at == 0 else "", text, "yellow"))
    lines += not_received_line(found.get("not_received"))
    if found.get("unread"):
        lines.append(("outcomes", NEWEST_UNREAD, "yellow"))
    lines += _incident_lines(found, tz)
    lines.append(("entries", str(found["entries"]), ""))
    lines += paused_lines(found.get("paused"), lambda iso: _at(iso, tz))
    for at, row in enumerate(found["next"]):
        late = row.get("overdue")  # a daemon of an older beatd does not send it
        due = _at(row["due"], tz) + (f", overdue by {length_text(int(late))}" if late else "")
        text = _due_text(due, row["name"], width)
        lines.append(("next" if at == 0 else "", text, "yellow" if late else ""))
    for at, text in enumerate(found["conflicts"]):
        text = text.removeprefix(f"{Path.cwd()}/")
        lines.append(("not applied" if at == 0 else "", text, "yellow"))
    return lines


def _incident_lines(found: dict[str, Any], tz: str) -> Iterator[tuple[str, str, str]]:
    """Yield lines about open incidents: their number, then the first few of them.

    An incident of an entry that a line about failing entries names is left out.
    """
    failing = {one["entry"] for one in found["failing"]}
    incidents = [
        one
        for one in found["incidents"]
        if not (one["kind"] == "failed" and one["entry"] in failing)
    ]
    if not incidents:
        return
    shown = "; `beatd incidents` shows all" if len(incidents) > INCIDENTS_SHOWN_MAX else ""
    more = " more" if len(incidents) < len(found["incidents"]) else ""
    yield "incidents", f"{len(incidents)}{more} open{shown}", "red"
    from beatd.cli.column_widths import cut_in_middle, text_width

    for one in incidents[:INCIDENTS_SHOWN_MAX]:
        name = one["entry"] or ""
        if text_width(name) > NAME_MAX_WIDTH:
            name = cut_in_middle(name, NAME_MAX_WIDTH)
        what = f"{one['kind']} of {name}" if name else one["kind"]
        text = f"{what}, since {_at(one['opened'], tz)}: {one['observed']}"
        yield "", text if len(text) <= LINE_MAX_CHARS else f"{text[: LINE_MAX_CHARS - 1]}…", "red"


def _due_text(due: str, name: str, width: int | None) -> str:
    """Return a moment and the name of an entry, which is cut if the line is wider than `width`."""
    from beatd.cli.column_widths import cut_in_middle, text_width
    from beatd.cli.escapes import visible

    name = visible(name)
    room = None if width is None else max(NAME_MIN_WIDTH, width - len(due) - 2)
    if room is not None and text_width(name) > room:
        name = cut_in_middle(name, room)
    return f"{due}  {name}"


def _why_nobody_leads(found: dict[str, Any], tz: str) -> str:
    if not found["store"]["ok"]:
        return "nobody leads: the store refuses writes"
    if found.get("copied_to"):
        return "nobody leads: the store was copied to another one"
    if found["lock"]["ok"] is False:
        return "nobody leads: the lock cannot be used"
    from beatd.views.nobody_leads import nobody_leads

    last = found.get("last_leader")  # a daemon of an older beatd does not send it
    if last and (since := found.get("reloads_since")):
        return f"{_who(last)} is reloading since {_at(since, tz)}, and leads again in a moment"
    return nobody_leads(
        led=_who(last) if last else "",
        term=found["term"],
        standbys=len(found["standbys"]),
        lock_holder=found["lock"].get("holder", ""),
        lock_ttl_s=found["lock"].get("ttl"),
    )


def _at(iso: str, tz: str) -> str:
    from beatd.views.time_text import moment_text

    return moment_text(datetime.fromisoformat(iso).replace(microsecond=0), tz)


def _late(seconds: float) -> str:
    from beatd.schedules.duration import lateness_text

    return f"{seconds * 1000:.1f} ms" if seconds < 1 else lateness_text(seconds)


def _who(person: dict[str, Any]) -> str:
    return f"{person['name']} ({person['host']}, pid {person['pid']})"
