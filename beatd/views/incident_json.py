"""Format an incident, which is a problem that lasts for a time, as JSON."""

from typing import Any

from beatd.alerts.message import incident_id
from beatd.incident import Incident
from beatd.views.entry_rows import iso_or_none


def incident_json(one: Incident) -> dict[str, Any]:
    """Return an incident as a dict for JSON; its "lasted" is in seconds, or None while it is
    open."""
    lasted = None if one.closed is None else (one.closed - one.opened).total_seconds()
    return {
        "id": incident_id(one),
        "kind": one.kind,
        "entry": one.name or None,
        "opened": iso_or_none(one.opened),
        "closed": iso_or_none(one.closed),
        "lasted": lasted,
        "observed": one.observed,
        "threshold": one.threshold,
        "cause": one.cause,
        "trace": one.trace or None,
        "announced": iso_or_none(one.announced),
        "resolved": iso_or_none(one.resolved),
        "flaps": one.flaps,
    }
