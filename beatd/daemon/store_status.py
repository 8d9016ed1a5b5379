"""How the daemons of a store are, told from what they leave in it; no daemon is asked."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from secrets import token_hex
from typing import Any

from beatd.catalog import Catalog, Query
from beatd.daemon.failing_entries import failing
from beatd.errors import StoreError
from beatd.leader import Holder
from beatd.ledger import History, Requests, Terms
from beatd.presence import Presence, Presences
from beatd.run import EPOCH
from beatd.schedules.moment import format_moment
from beatd.secret import hidden

SOON = 5
MOST_REQUESTS = 100
MOST_FAILING = 10
REASON = 200  # letters of it
PROBLEMS_ANNOUNCED = 20
PROBLEM_LETTERS = 300
_MORE = " more problems like these are in the log of "


def status_in(
    *,
    catalog: Catalog,
    requests: Requests,
    history: History,
    terms: Terms,
    presences: Presences,
    now: datetime,
    conflicts: Sequence[str] = (),
) -> dict[str, Any]:
    """Of the leader where there is one, else of the first standby; the shape of `beatd status`."""
    term = terms.term()
    daemons = sorted(presences.daemons(), key=lambda one: one.holder.since)
    leader = _leading(daemons, term[1] if term else None)
    shown = leader or next(iter(daemons), None)
    stats = shown.stats if shown else {}
    return {
        "name": shown.holder.name if shown else None,
        "host": shown.holder.host if shown else None,
        "pid": shown.holder.pid if shown else None,
        "role": ("leader" if leader else "standby") if shown else None,
        "term": term[0].number if term else None,
        "leader": person(term[1]) if leader and term else None,
        "standbys": [person(one.holder) for one in daemons if one is not leader],
        "store": {"ok": True, "clock_offset": shown.clock_offset if shown else None},
        "broker": _broker(shown),
        "lock": _lock(daemons),
        "atomic": bool(stats.get("atomic")),
        "unknowns": history.open_claims(),
        "last_seen_age": _seen_age(shown, now),
        "last_tick_age": _tick_age(shown, now),
        "lateness": {key: stats.get(f"late_{key}") for key in ("p50", "p99", "max")},
        "went_back": next((one.went_back for one in daemons if one.went_back), None),
        "requests": _asked(requests),
        "failing": [
            {
                "entry": name,
                "planned": format_moment(record.planned),
                "reason": record.reason[:REASON],
            }
            for name, record in islice(failing(history).items(), MOST_FAILING)
        ],
        "entries": catalog.count(),
        "next": [
            {"name": row.entry.name, "due": format_moment(row.plan.due)}
            for row in catalog.find(Query(order="next", limit=SOON))
            if row.plan.due is not None
        ],
        "conflicts": _conflicts(conflicts, daemons),
    }


def refusal_of(presences: Presences) -> str:
    """Why the store refuses writes; nothing when it takes them. It changes nothing there."""
    nobody = Holder("", "", 0, EPOCH, token_hex(8))
    try:
        presences.leave(nobody)
    except StoreError as refusal:
        return str(refusal)
    return ""


def first_of(problems: Sequence[str], name: str) -> tuple[str, ...]:
    """What a daemon announces of its problems: the first of them, and how many more there are."""
    told = tuple(hidden(text)[:PROBLEM_LETTERS] for text in problems[:PROBLEMS_ANNOUNCED])
    more = len(problems) - len(told)
    return (*told, f"{more}{_MORE}{name}") if more else told


def _conflicts(known: Sequence[str], daemons: Sequence[Presence]) -> list[str]:
    """Each once; how many more a daemon has only where that many are not known here."""
    found = dict.fromkeys(known)
    for one in daemons:
        for text in one.problems:
            more, mark, _ = text.partition(_MORE)
            if not (mark and more.isdigit() and len(known) >= int(more) + PROBLEMS_ANNOUNCED):
                found.setdefault(text)
    return list(found)


def _asked(requests: Requests) -> dict[str, Any]:
    pending = [request for request, _ in requests.requests(MOST_REQUESTS)]
    oldest = pending[0] if pending else None
    return {
        "count": len(pending),
        "at_least": len(pending) == MOST_REQUESTS,
        "oldest": oldest
        and {
            "entry": oldest.name,
            "kind": oldest.kind,
            "first": format_moment(oldest.first),
            "last": format_moment(oldest.last),
        },
    }


def _leading(daemons: Sequence[Presence], newest: Holder | None) -> Presence | None:
    """Whoever has the newest term and says that it leads; one that is frozen may still say so."""
    if newest is None:
        return None
    return next(
        (one for one in daemons if one.role == "leader" and one.holder.token == newest.token), None
    )


def away(error: str) -> dict[str, Any]:
    """The same shape when the store does not answer."""
    nothing = dict.fromkeys(("name", "host", "pid", "role", "term", "leader"))
    return {
        **nothing,
        "standbys": [],
        "store": {"ok": False, "error": error},
        "broker": {"ok": None},
        "lock": {"ok": None},
        "atomic": False,
        "unknowns": None,
        "last_seen_age": None,
        "last_tick_age": None,
        "lateness": {"p50": None, "p99": None, "max": None},
        "went_back": None,
        "requests": None,
        "failing": [],
        "entries": None,
        "next": [],
        "conflicts": [],
    }


def person(holder: Holder) -> dict[str, Any]:
    return {
        "name": holder.name,
        "host": holder.host,
        "pid": holder.pid,
        "since": format_moment(holder.since),
    }


def _broker(shown: Presence | None) -> dict[str, Any]:
    if shown is None or shown.broker_ok or not shown.broker:
        return {"ok": shown.broker_ok if shown else None}
    return {"ok": False, "error": shown.broker}


def _lock(daemons: Sequence[Presence]) -> dict[str, Any]:
    """Whether every daemon can use the lock; the name and the cause of the first that cannot."""
    for one in daemons:
        if one.lock:
            return {"ok": False, "error": one.lock, "daemon": one.holder.name}
    return {"ok": True if daemons else None}


def _seen_age(shown: Presence | None, now: datetime) -> float | None:
    return None if shown is None else round(max(0.0, (now - shown.seen_at).total_seconds()), 3)


def _tick_age(shown: Presence | None, now: datetime) -> float | None:
    since = _seen_age(shown, now)
    if shown is None or since is None or "tick_age" not in shown.stats:
        return None
    return round(shown.stats["tick_age"] + since, 3)
