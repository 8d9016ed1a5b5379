"""The messages about incidents: their text for people, and their JSON for programs."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from msgspec import Struct, json

from beatd.alerts.flapping import FLAPS_SAID
from beatd.alerts.span_text import span_text
from beatd.incident import Incident, IncidentKind
from beatd.secret import hidden

About = Literal["opened", "reminder", "resolved", "test"]
NAMES_MAX = 10
OBSERVED_MAX_CHARS = 500

_WORDS: dict[IncidentKind, str] = {
    "failed": "failing",
    "late": "published late",
    "missing": "without a success",
    "running": "running too long",
    "nobody leads": "nobody leads, so no run is published",
    "store away": "the store cannot be used, so no run is published",
    "broker away": "the broker cannot be used, so no run is published",
    "outcomes away": "what became of runs cannot be read, so no failure is noticed",
    "invalid source": "declared entries cannot be read or applied",
    "store went back": "the store went back in time",
}


class Message(Struct, frozen=True, kw_only=True):
    """One message about incidents of the same kind and cause.

    A reminder may mix kinds; its `kind` is "several" then. Each attempt to send a message has the
    same `id`. `entries` has the first few entry names, `count` is the number of incidents. `lasted`
    is in seconds, None while they are open. `trace` is the trace id of the first incident's run, or
    "".
    """

    id: str
    type: About
    at: datetime
    title: str
    text: str
    incident: str = ""
    kind: str = ""
    entries: tuple[str, ...] = ()
    count: int = 0
    since: datetime | None = None
    lasted: float | None = None
    threshold: str = ""
    observed: str = ""
    cause: str = ""
    trace: str = ""

    def json(self) -> bytes:
        """Return the message as JSON, for the body of a webhook."""
        body: dict[str, Any] = {
            "type": self.type,
            "timestamp": self.at,
            "incident": self.incident,
            "kind": self.kind,
            "entries": self.entries,
            "count": self.count,
            "since": self.since,
            "lasted": self.lasted,
            "threshold": self.threshold,
            "observed": self.observed,
            "cause": self.cause,
            "trace": self.trace,
            "title": self.title,
            "text": self.text,
            "url": None,
        }
        return json.encode(body)


def incident_id(incident: Incident) -> str:
    """Return a short unique id of an incident; every daemon computes the same id."""
    text = f"{incident.kind}\n{incident.name}\n{incident.opened.isoformat()}"
    return sha256(text.encode()).hexdigest()[:16]


def message_of(about: About, incidents: Sequence[Incident], now: datetime) -> Message:
    """Return one message about one or more incidents, oldest first. Secrets are hidden."""
    first = incidents[0]
    ids = [incident_id(one) for one in incidents]
    rounds = f"{max(one.announced or one.opened for one in incidents).isoformat()}"
    digest = sha256("\n".join((about, *ids, rounds if about == "reminder" else "")).encode())
    kinds = {one.kind for one in incidents}
    kind = first.kind if len(kinds) == 1 else "several"
    names = list(dict.fromkeys(one.name for one in incidents if one.name))
    since = min(one.opened for one in incidents)
    lasted = None
    if about == "resolved":
        lasted = max((one.closed or now) - one.opened for one in incidents).total_seconds()
    return Message(
        id=f"msg_{digest.hexdigest()[:32]}",
        type=about,
        at=now,
        title=_title(about, incidents, kind, names),
        text=_text(about, incidents, names, now),
        incident=ids[0],
        kind=kind,
        entries=tuple(names[:NAMES_MAX]),
        count=len(incidents),
        since=since,
        lasted=lasted,
        threshold=first.threshold if len(kinds) == 1 else "",
        observed=hidden(first.observed)[:OBSERVED_MAX_CHARS],
        cause=first.cause,
        trace=first.trace,
    )


def test_message(now: datetime, host: str) -> Message:
    """Return the message that `beatd alerts test` sends. It is about no incident."""
    return Message(
        id=f"msg_test_{int(now.timestamp() * 1e6)}",
        type="test",
        at=now,
        title="beatd: a test message",
        text=f"Messages about incidents will arrive here. Sent by `beatd alerts test` on {host}.",
    )


test_message.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for a test


def _title(about: About, incidents: Sequence[Incident], kind: str, names: Sequence[str]) -> str:
    if kind == "several":
        return f"beatd: still open: {len(incidents)} incidents"
    words = _WORDS[incidents[0].kind]
    if names:
        who = names[0] if len(names) == 1 else f"{len(names)} entries"
        words = f"{who} {words}"
    if incidents[0].flaps == FLAPS_SAID and about == "opened":
        words += " again and again"
    prefix = {"opened": "", "reminder": "still open: ", "resolved": "over: "}.get(about, "")
    return f"beatd: {prefix}{words}"


def _text(about: About, incidents: Sequence[Incident], names: Sequence[str], now: datetime) -> str:
    lines = []
    for one in incidents[:NAMES_MAX]:
        observed = hidden(one.observed)[:OBSERVED_MAX_CHARS]
        line = f"{one.name}: {observed}" if one.name else observed or _WORDS[one.kind]
        if about == "reminder":
            line = f"{one.kind}: {line}"
        since = f"since {_moment(one.opened)}"
        if about == "resolved" and one.closed is not None:
            since = f"it lasted {span_text(one.closed - one.opened)}, {since}"
        elif about == "reminder":
            since += f", for {span_text(now - one.opened)}"
        trace = f", trace {one.trace}" if one.trace else ""
        lines.append(f"{line} ({since}{trace})")
    if len(incidents) > NAMES_MAX:
        lines.append(f"and {len(incidents) - NAMES_MAX} more, {len(incidents)} in all")
    first = incidents[0]
    if first.threshold and about == "opened":
        lines.append(f"The rule: {first.threshold}.")
    if first.flaps == FLAPS_SAID and about == "opened":
        lines.append(f"It opened {FLAPS_SAID} times within a day; more is not said for a day.")
    where = f" {first.name}" if len(names) == 1 else ""
    lines.append(f"More: beatd incidents{where}")
    return "\n".join(lines)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
