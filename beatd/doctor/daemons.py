"""Look at the daemons that use a store: who leads, and do they differ?"""

from collections.abc import Iterator

from beatd import __version__
from beatd.doctor.finding import Finding, Level
from beatd.ledger import Terms
from beatd.presence import Presence, Presences, leading, standing_by
from beatd.views.needs_reload import needs_reload_text
from beatd.views.nobody_leads import nobody_leads


def daemon_findings(
    terms: Terms, presences: Presences, *, clock_max_s: float, copied: bool
) -> Iterator[Finding]:
    """Yield who leads, and what the daemons themselves say is wrong.

    `clock_max_s` is how many seconds a host's clock may differ from the store's. `copied` is True
    if the store was copied to another one: then no daemon has to run.
    """
    daemons = sorted(presences.daemons(), key=lambda one: one.holder.since)
    term = terms.term()
    leader = leading(daemons, term[1] if term else None)
    standbys = len(standing_by(daemons))
    beside = f", {standbys} standby" + ("" if standbys == 1 else "s") if standbys else ""
    if leader is not None:
        who = f"{leader.holder.name} leads{beside}"
        yield Finding("ok", "daemons", who)
    elif daemons:
        seen = next((one for one in daemons if one.lock_holder), daemons[0])
        text = nobody_leads(
            led=term[1].name if term else "",
            term=term[0].number if term else None,
            standbys=standbys,
            lock_holder=seen.lock_holder,
            lock_ttl_s=seen.stats.get("lock_ttl"),
        )
        yield Finding("error", "daemons", text)
    elif not copied:
        yield Finding("warning", "daemons", "no daemon runs, so nothing is sent; run `beatd run`")
    yield from _versions(daemons)
    yield from _troubles(daemons, clock_max_s)


def _versions(daemons: list[Presence]) -> Iterator[Finding]:
    # A daemon of an older beatd does not say its version.
    versions = sorted({one.version or "an older one" for one in daemons})
    if len(versions) > 1:
        each = ", ".join(f"{one.holder.name} {one.version or 'an older one'}" for one in daemons)
        number = "two" if len(versions) == 2 else str(len(versions))
        text = f"{number} versions of beatd at once: {each}; restart them after an upgrade"
        yield Finding("warning", "daemons", text)
    elif versions == [__version__]:
        yield Finding("ok", "daemons", f"beatd {__version__} runs, as is installed here")
    elif versions:
        runs = f"beatd {versions[0]} runs" if daemons[0].version else "an older beatd runs"
        text = f"{runs}, and {__version__} is installed here; restart after an upgrade"
        yield Finding("warning", "daemons", text)


def _troubles(daemons: list[Presence], clock_max_s: float) -> Iterator[Finding]:
    # What several daemons say is one line with their names.
    said: dict[tuple[Level, str], list[str]] = {}
    for daemon in daemons:
        name = daemon.holder.name
        if not daemon.broker_ok:
            text = f"cannot use the broker: {daemon.broker or 'no reason is known'}"
            said.setdefault(("error", f" {text}"), []).append(name)
        if daemon.lock:
            said.setdefault(("error", f" cannot use the lock: {daemon.lock}"), []).append(name)
        if abs(daemon.clock_offset) > clock_max_s:
            word = "ahead of" if daemon.clock_offset > 0 else "behind"
            text = f" has a clock {abs(daemon.clock_offset):.1f} s {word} the store's"
            said[("warning", f"{text}; up to {clock_max_s:g} s is fine")] = [name]
        if daemon.needs_reload:
            text = needs_reload_text(daemon.needs_reload)
            said.setdefault(("warning", f": {text}"), []).append(name)
        for problem in daemon.problems:
            said.setdefault(("warning", f": {problem}"), []).append(name)
    for (level, text), names in said.items():
        yield Finding(level, "daemons", f"{', '.join(names)}{text}")
