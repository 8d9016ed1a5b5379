"""The status of all daemons that use a store, read from the store without contacting a daemon."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from beatd.catalog import Catalog, EditableCatalog
from beatd.daemon.failing_entries import failing_entries
from beatd.daemon.next_due import next_due
from beatd.daemon.outcome_status import (
    failing_outcomes,
    has_open_runs,
    known_outcomes,
    not_received_json,
    running_long,
)
from beatd.daemon.paused_entries import paused_entries
from beatd.edits.stored_names import stored_names
from beatd.history import History
from beatd.incident import Incidents
from beatd.leader import Holder
from beatd.ledger import Requests, Terms
from beatd.marks import CopiedTo
from beatd.outcome import Outcomes
from beatd.presence import (
    INVALID_SOURCE,
    Presence,
    Presences,
    is_same_mistake,
    leading,
    led_before,
    standing_by,
)
from beatd.schedules.moment import format_moment
from beatd.secret import hidden

REQUESTS_COUNTED_MAX = 100
FAILING_SHOWN_MAX = 10
REASON_MAX_CHARS = 200
PROBLEMS_ANNOUNCED_MAX = 20
PROBLEM_MAX_CHARS = 300
_MORE = " more problems like these are in the log of "


def status_in(
    *,
    catalog: EditableCatalog,
    requests: Requests,
    history: History,
    outcomes: Outcomes,
    terms: Terms,
    presences: Presences,
    now: datetime,
    incidents: Incidents,
    conflicts: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the status of a store's daemons, with the keys of `beatd status --json`.

    It describes the leader or, without one, the first standby. `conflicts` are problems to add to
    those that the daemons wrote to the store. Raises StoreError if the store fails.
    """
    term = terms.term()
    daemons = sorted(presences.daemons(), key=lambda one: one.holder.since)
    leader = leading(daemons, term[1] if term else None)
    standbys = standing_by(daemons)
    shown = leader or next(iter([*standbys, *daemons]), None)
    stats = shown.stats if shown else {}
    entries = catalog.count()
    since = None if leader else catalog.marks.reloads_since(term[0].token if term else None, now)
    known = known_outcomes(outcomes, history, entries)
    waiting = not_received_json(catalog, history, outcomes, now, entries=entries)
    # Without a leader nobody reads the reports of workers.
    unread = leader is None and (waiting["count"] > 0 or has_open_runs(known))
    return {
        "name": shown.holder.name if shown else None,
        "host": shown.holder.host if shown else None,
        "pid": shown.holder.pid if shown else None,
        "version": (shown.version or None) if shown else None,
        "role": ("leader" if leader else "standby") if shown else None,
        "term": term[0].number if term else None,
        "leader": daemon_row(term[1]) if leader and term else None,
        "last_leader": daemon_row(term[1]) if term else None,
        "reloads_since": None if since is None else format_moment(since),
        "copied_to": copied_row(catalog.marks.copied_to()),
        "standbys": [daemon_row(one.holder) for one in standbys],
        "led_before": [
            {**daemon_row(one.holder), "last_seen_age": _seen_age_s(one, now)}
            for one in led_before(daemons, leader)
        ],
        "versions": [  # None for a daemon of an older beatd
            {"name": one.holder.name, "version": one.version or None} for one in daemons
        ],
        "store": {"ok": True, "clock_offset": shown.clock_offset if shown else None},
        "broker": _broker(shown),
        "lock": _lock(daemons) | ({} if leader else _lock_holder(daemons)),
        "atomic": bool(stats.get("atomic")),
        "unknowns": history.open_claims(),
        "last_seen_age": _seen_age_s(shown, now),
        "last_tick_age": _tick_age_s(shown, now),
        "lateness": {key: stats.get(f"late_{key}") for key in ("p50", "p99", "max")},
        "went_back": next((one.went_back for one in daemons if one.went_back), None),
        "requests": _pending_requests(requests),
        "failing": _failing(catalog, history, failing_outcomes(known, catalog)),
        "running_long": running_long(known, outcomes, catalog, now) if leader else [],
        "not_received": None if unread else waiting,
        "unread": unread,
        "incidents": _open_incidents(incidents),
        "entries": entries,
        "paused": paused_entries(catalog),
        "needs_reload": [
            {"name": one.holder.name, "settings": list(one.needs_reload)}
            for one in daemons
            if one.needs_reload
        ],
        "next": next_due(catalog, now),
        **_by_kind(_problems(conflicts, daemons)),
    }


def problems_to_announce(problems: Sequence[str], name: str) -> tuple[str, ...]:
    """Return the problems that the daemon `name` writes to its status record in the store.

    At most PROBLEMS_ANNOUNCED_MAX are returned, and a line with the number of the others. Passwords
    are masked and long texts are cut.
    """
    first = tuple(hidden(text)[:PROBLEM_MAX_CHARS] for text in problems[:PROBLEMS_ANNOUNCED_MAX])
    more = len(problems) - len(first)
    return (*first, f"{more}{_MORE}{name}") if more else first


def _by_kind(problems: Sequence[str]) -> dict[str, list[str]]:
    """Return the problems of declared entries as "invalid_sources" and, all others, "conflicts"."""
    invalid = [text for text in problems if text.startswith(INVALID_SOURCE)]
    return {
        "conflicts": [text for text in problems if not text.startswith(INVALID_SOURCE)],
        "invalid_sources": [text.removeprefix(INVALID_SOURCE) for text in invalid],
    }


def _problems(known: Sequence[str], daemons: Sequence[Presence]) -> list[str]:
    """Return the `known` problems and those that the daemons announced, without duplicates.

    A daemon's line "N more problems" is left out if `known` has at least that many problems.
    """
    found = dict.fromkeys(known)
    for one in daemons:
        for text in one.problems:
            more, mark, _ = text.partition(_MORE)
            if mark and more.isdigit() and len(known) >= int(more) + PROBLEMS_ANNOUNCED_MAX:
                continue
            if not any(is_same_mistake(text, other) for other in found):
                found[text] = None
    return list(found)


def _failing(
    catalog: Catalog, history: History, in_workers: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the status of each entry whose newest run failed, at most once per entry.

    Runs that could not be published come first, then `in_workers`, the runs that failed in a
    worker.
    """
    failed = failing_entries(history)
    unpublished = [
        {
            "entry": name,
            "planned": format_moment(failed[name].planned),
            "reason": failed[name].reason[:REASON_MAX_CHARS],
            "outcome": None,
            "failures": 1,
        }
        for name in islice(stored_names(catalog, failed), FAILING_SHOWN_MAX)
    ]
    names = {row["entry"] for row in unpublished}
    return [*unpublished, *(row for row in in_workers if row["entry"] not in names)]


def _open_incidents(incidents: Incidents) -> list[dict[str, Any]]:
    """Return the open incidents, those without an entry first, and then the oldest first."""
    found = [one for one in incidents.open_incidents() if one.closed is None]
    return [
        {
            "kind": one.kind,
            "entry": one.name or None,
            "opened": format_moment(one.opened),
            "observed": one.observed,
        }
        for one in sorted(found, key=lambda one: bool(one.name))
    ]


def _pending_requests(requests: Requests) -> dict[str, Any]:
    """Return the number of pending runs that were requested by hand, and the oldest such request.

    "at_least" is True if there may be more. "oldest" is None without requests.
    """
    pending = [request for request, _ in requests.requests(REQUESTS_COUNTED_MAX)]
    oldest = pending[0] if pending else None
    return {
        "count": len(pending),
        "at_least": len(pending) == REQUESTS_COUNTED_MAX,
        "oldest": oldest
        and {
            "entry": oldest.name,
            "kind": oldest.kind,
            "first": format_moment(oldest.first),
            "last": format_moment(oldest.last),
        },
    }


def daemon_row(holder: Holder) -> dict[str, Any]:
    """Return the name, host and process id of a daemon, and the start of its process or lead."""
    return {
        "name": holder.name,
        "host": holder.host,
        "pid": holder.pid,
        "since": format_moment(holder.since),
    }


def copied_row(copied: CopiedTo | None) -> dict[str, Any] | None:
    """Return the URL of the store to which all was copied, and when; None if it was not."""
    return None if copied is None else {"store": copied.place, "at": format_moment(copied.at)}


def _broker(shown: Presence | None) -> dict[str, Any]:
    """Return whether the daemon can use the broker, as "ok"; if not, the reason as "error".

    "ok" is None without a daemon.
    """
    if shown is None or shown.broker_ok or not shown.broker:
        return {"ok": shown.broker_ok if shown else None}
    return {"ok": False, "error": shown.broker}


def _lock(daemons: Sequence[Presence]) -> dict[str, Any]:
    """Return whether all daemons can use the leader's lock, as "ok"; None without daemons.

    If one cannot, "error" has the reason and "daemon" the name of the first such daemon.
    """
    for one in daemons:
        if one.lock:
            return {"ok": False, "error": one.lock, "daemon": one.holder.name}
    return {"ok": True if daemons else None}


def _lock_holder(daemons: Sequence[Presence]) -> dict[str, Any]:
    """Return who has the leader's lock, as a standby sees it, and its time to live in seconds.

    The keys are "holder" and "ttl"; the result is empty if no standby sees a holder.
    """
    for one in daemons:
        if one.lock_holder and not one.lock:
            return {"holder": one.lock_holder, "ttl": one.stats.get("lock_ttl")}
    return {}


def _seen_age_s(shown: Presence | None, now: datetime) -> float | None:
    """Return the seconds since the daemon wrote its status record; None without a daemon."""
    return None if shown is None else round(max(0.0, (now - shown.seen_at).total_seconds()), 3)


def _tick_age_s(shown: Presence | None, now: datetime) -> float | None:
    """Return the seconds since the daemon's last scheduling pass, or None if that is unknown."""
    since = _seen_age_s(shown, now)
    if shown is None or since is None or "tick_age" not in shown.stats:
        return None
    return round(shown.stats["tick_age"] + since, 3)
