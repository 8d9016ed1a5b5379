"""How a daemon is, as `beatd status --json` and /status have it."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from beatd.catalog import Query
from beatd.daemon import Daemon
from beatd.errors import StoreError
from beatd.leader import Holder

SOON = 5


def status_of(daemon: Daemon) -> dict[str, Any]:
    engine, election, store = daemon.engine, daemon.election, daemon.store
    lead = election.lead() if election else None
    holder = election.holder() if election else None
    term = None
    found: dict[str, Any] = {"standbys": [], "unknowns": None, "entries": None, "next": []}
    if store is not None and engine is not None and engine.store_ok:
        with suppress(StoreError):
            found = {
                "standbys": [
                    person(other.holder) for other in store.daemons() if other.role == "standby"
                ],
                "unknowns": len(store.unknowns(daemon.me.since + timedelta(days=36500), 10_000)),
                "entries": daemon.entries,
                "next": [
                    {"name": row.entry.name, "due": text(row.plan.due)}
                    for row in store.find(Query(order="next", limit=SOON))
                    if row.plan.due is not None
                ],
            }
            term = store.term()
    return {
        "name": daemon.me.name,
        "host": daemon.me.host,
        "pid": daemon.me.pid,
        "role": "leader" if lead is not None else "standby",
        "term": lead.term.number if lead else (term[0].number if term else None),
        "leader": person(holder) if holder else None,
        "store": {"ok": bool(engine and engine.store_ok), "clock_offset": daemon.clock_offset},
        "broker": {"ok": bool(engine and engine.broker_ok)},
        "atomic": bool(daemon.dispatch and daemon.dispatch.atomic),
        "last_tick_age": round(daemon.tick_age(), 3),
        "lateness": daemon.board.lateness(),
        "conflicts": list(daemon.conflicts),
        "overdue": daemon.board.overdue or None,
        "clock_stepped": daemon.board.stepped,
        **found,
    }


def person(holder: Holder) -> dict[str, Any]:
    return {
        "name": holder.name,
        "host": holder.host,
        "pid": holder.pid,
        "since": text(holder.since),
    }


def text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
