"""The status of this daemon, from its own state and from what all daemons wrote to the store."""

from contextlib import suppress
from typing import Any

from beatd import __version__
from beatd.daemon.daemon_state import DaemonState
from beatd.daemon.empty_status import status_without_store
from beatd.daemon.store_status import status_in
from beatd.errors import StoreError, waiting_for_store
from beatd.observers.health import Health


def status_of(daemon: DaemonState) -> dict[str, Any]:
    """Return the content of the page /status, with the same keys as `beatd status --json`.

    If the store cannot be used, the values that need the store are empty.
    """
    engine, election, store = daemon.engine, daemon.election, daemon.store
    status = status_without_store(daemon.store_trouble() or "not open yet")
    if store is not None and engine is not None and engine.store_outage.over:
        with suppress(StoreError):
            status = status_in(
                catalog=store.catalog,
                requests=store.requests,
                history=store.history,
                outcomes=store.outcomes,
                terms=store.terms,
                presences=store.presences,
                now=daemon.now(),
                incidents=store.incidents,
                conflicts=daemon.conflicts,
            )
    lead = election.lead() if election else None
    status |= {
        "name": daemon.me.name,
        "host": daemon.me.host,
        "pid": daemon.me.pid,
        "version": __version__,
        "role": "leader" if lead is not None else "standby",
        "broker": broker_of(daemon),
        "lock": {key: status["lock"][key] for key in ("holder", "ttl") if key in status["lock"]}
        | lock_of(daemon),
        "atomic": bool(daemon.dispatch and daemon.dispatch.atomic),
        "last_tick_age": round(daemon.tick_age(), 3),
        "lateness": daemon.last_state.lateness(),
        "overdue": daemon.last_state.overdue or None,
        "clock_stepped": daemon.last_state.stepped,
        "went_back": daemon.last_state.went_back or status["went_back"],
    }
    if lead is not None:
        status["term"] = lead.term.number
    return status


def broker_of(daemon: DaemonState) -> dict[str, Any]:
    """Return {"ok": True} if the broker can be used, else {"ok": False, "error": REASON}.

    "ok" is None before the daemon is open.
    """
    if daemon.engine is None:
        return {"ok": None}
    trouble = daemon.broker_trouble()
    return {"ok": daemon.engine.broker_outage.over, **({"error": trouble} if trouble else {})}


def lock_of(daemon: DaemonState) -> dict[str, Any]:
    """Return {"ok": True} if the leader's lock can be used, else {"ok": False, "error": REASON}.

    "ok" is None before the daemon is open.
    """
    if daemon.election is None:
        return {"ok": None}
    trouble = daemon.lock_trouble()
    return {"ok": not trouble, **({"error": trouble} if trouble else {})}


def state_of(daemon: DaemonState) -> dict[str, Any]:
    """Return the daemon's state for the log line that the signal SIGUSR1 requests."""
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


def health_of(daemon: DaemonState) -> Health:
    """Return the daemon's health for probes and metrics, without contacting a server."""
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


def _waits_for(daemon: DaemonState) -> str:
    engine = daemon.engine
    if trouble := daemon.trouble():
        return trouble
    if engine is None or not engine.store_outage.over:
        return waiting_for_store(daemon.store_trouble() or "not open yet")
    if not engine.broker_outage.over:
        return f"waiting for the broker: {daemon.broker_trouble() or 'no answer'}"
    if trouble := daemon.lock_trouble():
        return f"waiting for the lock: {trouble}"
    return "" if daemon.ready() else "nobody is known to lead yet"
