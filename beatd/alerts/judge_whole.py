"""Judge the whole: whether somebody leads, and whether broker, sources and store are well."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from beatd.alerts.judge import Finding
from beatd.incident import Incident, IncidentKind

SOURCES_SHOWN_MAX = 3
_OVER: dict[IncidentKind, str] = {
    "nobody leads": "a daemon leads",
    "store away": "it can be used",
}


class WholeFacts(Struct, frozen=True, kw_only=True):
    """What the leader knows of the servers and sources. A text is empty if all is well."""

    broker_trouble: str = ""
    broker_away_since: datetime | None = None
    outcomes_trouble: str = ""
    outcomes_away_since: datetime | None = None
    conflicts: Sequence[str] = ()


def judge_whole(facts: WholeFacts, opened: Mapping[IncidentKind, Incident]) -> list[Finding]:
    """Return what opens and closes for the whole, as the leader sees it; `opened` has the open
    incidents. As it leads and reaches the store, incidents about these two are over."""
    found = [Finding(kind, False, why) for kind, why in _OVER.items() if kind in opened]
    found += _server("broker away", facts.broker_away_since, facts.broker_trouble, opened)
    found += _server("outcomes away", facts.outcomes_away_since, facts.outcomes_trouble, opened)
    if facts.conflicts and "invalid source" not in opened:
        lines = "; ".join(facts.conflicts[:SOURCES_SHOWN_MAX])
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
    """Return what opens or closes for a server that is away since `since`, None if it is not."""
    if since is not None and kind not in opened:
        return [Finding(kind, True, trouble or "it does not answer", since=since)]
    if since is None and kind in opened:
        return [Finding(kind, False, "it can be used")]
    return []
