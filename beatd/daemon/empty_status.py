"""The status of a daemon or a store that does not answer."""

from typing import Any


def status_without_store(error: str) -> dict[str, Any]:
    """Return a status with the keys of `status_in` and empty values, for a store that fails.

    `error` is the reason of the failure.
    """
    unknown = ("name", "host", "pid", "version", "role", "term", "leader", "last_leader")
    return {
        **dict.fromkeys(unknown),
        "reloads_since": None,
        "copied_to": None,
        "standbys": [],
        "led_before": [],
        "versions": [],
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
        "running_long": [],
        "not_received": None,
        "unread": False,
        "incidents": [],
        "entries": None,
        "paused": None,
        "needs_reload": [],
        "next": [],
        "conflicts": [],
        "invalid_sources": [],
    }
