"""How this daemon is: what its store tells of all of them, and what only it knows."""

from contextlib import suppress
from typing import Any

from beatd.daemon.daemon import Daemon
from beatd.daemon.store_status import away, status_in
from beatd.errors import StoreError
from beatd.observers.health import Health


def status_of(daemon: Daemon) -> dict[str, Any]:
    engine, election, store = daemon.engine, daemon.election, daemon.store
    found = away(daemon.store_trouble() or "not open yet")
    if store is not None and engine is not None and engine.store_outage.over:
        with suppress(StoreError):
            found = status_in(
                catalog=store.catalog,
                requests=store.requests,
                history=store.history,
                terms=store.terms,
                presences=store.presences,
                now=daemon.now(),
                conflicts=daemon.conflicts,
            )
    lead = election.lead() if election else None
    found |= {
        "name": daemon.me.name,
        "host": daemon.me.host,
        "pid": daemon.me.pid,
        "role": "leader" if lead is not None else "standby",
        "broker": broker_of(daemon),
        "lock": lock_of(daemon),
        "atomic": bool(daemon.dispatch and daemon.dispatch.atomic),
        "last_tick_age": round(daemon.tick_age(), 3),
        "lateness": daemon.board.lateness(),
        "overdue": daemon.board.overdue or None,
        "clock_stepped": daemon.board.stepped,
        "went_back": daemon.board.went_back or found["went_back"],
    }
    if lead is not None:
        found["term"] = lead.term.number
    return found


def broker_of(daemon: Daemon) -> dict[str, Any]:
    if daemon.engine is None:
        return {"ok": None}
    trouble = daemon.broker_trouble()
    return {"ok": daemon.engine.broker_outage.over, **({"error": trouble} if trouble else {})}


def lock_of(daemon: Daemon) -> dict[str, Any]:
    if daemon.election is None:
        return {"ok": None}
    trouble = daemon.lock_trouble()
    return {"ok": not trouble, **({"error": trouble} if trouble else {})}


def state_of(daemon: Daemon) -> dict[str, Any]:
    """For people in a hurry: without asking the store."""
    engine, election = daemon.engine, daemon.election
    lead = election.lead() if election else None
    return {
        "leading": lead is not None,
        "term": lead.term.number if lead else None,
        "store_ok": bool(engine and engine.store_outage.over),
        "broker_ok": bool(engine and engine.broker_outage.over),
        "lock_ok": daemon.lock_ok,
        "conflicts": daemon.conflicts,
        **daemon.stats(),
    }


def health_of(daemon: Daemon) -> Health:
    """Return what the probes and the gauges show, without a question to a server."""
    engine, election = daemon.engine, daemon.election
    return Health(
        trouble=daemon.trouble(),
        waits_for=_waits_for(daemon),
        leading=daemon.leading(),
        tick_age=daemon.tick_age(),
        store_ok=bool(engine and engine.store_outage.over),
        broker_ok=bool(engine and engine.broker_outage.over),
        lock_ok=daemon.lock_ok,
        clock_offset=daemon.clock_offset,
        lease_margin=election.margin() if election else 0,
        entries=daemon.entries,
    )


def _waits_for(daemon: Daemon) -> str:
    """Return why the daemon is not ready, or an empty text."""
    engine = daemon.engine
    if trouble := daemon.trouble():
        return trouble
    if engine is None or not engine.store_outage.over:
        return f"waiting for the store: {daemon.store_trouble() or 'not open yet'}"
    if not engine.broker_outage.over:
        return f"waiting for the broker: {daemon.broker_trouble() or 'no answer'}"
    if trouble := daemon.lock_trouble():
        return f"waiting for the lock: {trouble}"
    return "" if daemon.ready() else "nobody is known to lead yet"
