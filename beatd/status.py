"""How this daemon is: what its store tells of all of them, and what only it knows."""

from contextlib import suppress
from typing import Any

from beatd.daemon import Daemon
from beatd.errors import StoreError
from beatd.mustered import away, status_in


def status_of(daemon: Daemon) -> dict[str, Any]:
    engine, election, store = daemon.engine, daemon.election, daemon.store
    found = away(daemon.store_trouble() or "not open yet")
    if store is not None and engine is not None and engine.store_ok:
        with suppress(StoreError):
            found = status_in(store, daemon.now(), daemon.conflicts)
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
    return {"ok": daemon.engine.broker_ok, **({"error": trouble} if trouble else {})}


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
        "store_ok": bool(engine and engine.store_ok),
        "broker_ok": bool(engine and engine.broker_ok),
        "lock_ok": daemon.lock_ok,
        "conflicts": daemon.conflicts,
        **daemon.stats(),
    }
