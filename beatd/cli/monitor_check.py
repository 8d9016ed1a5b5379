"""Check the settings `monitor` and `trace` of entries for `beatd check`."""

import os
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

from beatd.errors import MissingExtra, Problem

if TYPE_CHECKING:
    from beatd.config import Config
    from beatd.entry import Entry


def monitor_problems(
    entries: "Iterable[Entry]", config: "Config", environment: Mapping[str, str] = os.environ
) -> Iterator[Problem]:
    """Yield warnings about entries whose Sentry monitor or traces cannot work."""
    from beatd.definition.sentry_monitor import monitor_config
    from beatd.observers.traces import ENDPOINTS

    exports = any(environment.get(name) for name in ENDPOINTS)
    noted = set[str]()
    for entry in entries:
        found = []
        if entry.monitor is not None and entry.monitor.sentry:
            if monitor_config(entry) is None:
                text = "Sentry cannot have this schedule, so it notices no missing run; it knows "
                text += "cron texts with five fields, and whole minutes, hours and days"
                yield _warning(entry, "monitor", text)
            if config.sentry is not None and find_spec("sentry_sdk") is None:
                found.append(("monitor", str(MissingExtra("check-ins of Sentry", "sentry"))))
        if entry.trace and exports and not _has_opentelemetry():
            found.append(("trace", str(MissingExtra("the export of spans", "traces"))))
        for key, text in found:
            if key not in noted:
                noted.add(key)
                yield _warning(entry, key, text)


def _has_opentelemetry() -> bool:
    try:
        return find_spec("opentelemetry.sdk") is not None
    except ModuleNotFoundError:  # not even the package above it
        return False


def _warning(entry: "Entry", key: str, text: str) -> Problem:
    return Problem(text, ("entries", entry.name, key), entry.declared_at, warning=True)
