"""Judge the whole installation: whether a leader, the broker, the sources and the store work."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from beatd.alerts.judge import Finding
from beatd.incident import Incident, IncidentKind
from beatd.presence import INVALID_SOURCE

SOURCES_SHOWN_MAX = 3
_OVER: dict[IncidentKind, str] = {
    "nobody leads": "a daemon leads",
    "store away": "it can be used",
}


class WholeFacts(Struct, frozen=True, kw_only=True):
    """The leader's knowledge of servers and sources; "" and None mean that there is no trouble."""

    broker_trouble: str = ""
    broker_away_since: datetime | None = None
    outcomes_trouble: str = ""
    outcomes_away_since: datetime | None = None
    conflicts: Sequence[str] = ()  # a line for each problem of a source


def judge_whole(facts: WholeFacts, opened: Mapping[IncidentKind, Incident]) -> list[Finding]:
    """Return the incidents of the whole installation to open and to close.

    `opened` has its open incidents by kind. Only a leader that reaches the store calls this, so the
    incidents "nobody leads" and "store away" are always closed.
    """
    found = [Finding(kind, False, why) for kind, why in _OVER.items() if kind in opened]
    found += _server("broker away", facts.broker_away_since, facts.broker_trouble, opened)
    found += _server("outcomes away", facts.outcomes_away_since, facts.outcomes_trouble, opened)
    if facts.conflicts and "invalid source" not in opened:
        shown = (line.removeprefix(INVALID_SOURCE) for line in facts.conflicts[:SOURCES_SHOWN_MAX])
        lines = "; ".join(shown)
        more = len(facts.conflicts) - SOURCES_SHOWN_MAX
        found.append(
            Finding("invalid source", True, lines + (f"; and {more} more" if more > 0 else ""))
        )
    elif not facts.conflicts and "invalid source" in opened:
        found.append(Finding("invalid source", False, "all are valid"))
    return found


def _server(
    kind: IncidentKind,
    since: datetime | None,
    trouble: str,
    opened: Mapping[IncidentKind, Incident],
) -> list[Finding]:
    # `since` is when the server went away, or None while it can be used.
    if since is not None and kind not in opened:
        return [Finding(kind, True, trouble or "it does not answer", since=since)]
    if since is None and kind in opened:
        return [Finding(kind, False, "it can be used")]
    return []
