"""Convert the JSON of the API to entries, outcomes, history records, changes and incidents."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import json

from beatd.catalog import Plan, Stored
from beatd.changes import Author, ChangeRecord, EntryState, Pause
from beatd.definition import codec
from beatd.history import Record
from beatd.incident import Incident
from beatd.outcome import Delivery, EntryOutcome, SentRun
from beatd.run import Running

Plain = Mapping[str, Any]

#: A running run has no end in the JSON. The daemon named it because it still counts as running.
RUNNING_FOR = timedelta(days=1)


def stored_from(plain: Plain, now: datetime) -> Stored:
    """Convert an entry in the API's JSON to a Stored, with its next run and its number of runs."""
    plan, running = plain["plan"], plain["running"]
    return Stored(
        entry=codec.decode(
            plain["name"],
            json.encode(plain["definition"]),
            plain["source"],
            plain.get("declared_at", ""),
        ),
        revision=plain["revision"],
        paused=plain["paused"],
        plan=Plan(_moment(plan["planned"]), _moment(plan["due"]), "", ""),
        runs=plain["runs"],
        last=_moment(plain["last"]),
        running=None
        if running is None
        else Running(
            task_id=running["task_id"],
            since=datetime.fromisoformat(running["since"]),
            until=now + RUNNING_FOR,
            waits=plan["waits"],
        ),
        pause=_pause(plain["pause"]),
    )


def outcome_from(
    name: str, plain: Plain, sent: Plain | None = None, *, unread: bool = False
) -> EntryOutcome:
    """Convert the newest outcome of the entry `name` in the API's JSON to an EntryOutcome.

    `sent` is the newer run that no worker has received, or None. `unread` is True if nobody reads
    the reports about the newest run.
    """
    newest = Delivery(
        task_id=plain["task_id"],
        delivery="",
        name=name,
        planned=datetime.fromisoformat(plain["planned"]),
        state=plain["outcome"],
        at=datetime.fromisoformat(plain["at"]),
        worker=plain["worker"] or "",
        started=_moment(plain["started"]),
        finished=_moment(plain["finished"]),
        error=plain["error"] or "",
    )
    return EntryOutcome(
        name=name,
        newest=newest,
        failures=plain["failures"],
        successes=plain["successes"],
        last_success=_moment(plain["last_success"]),
        sent=None
        if sent is None
        else SentRun(
            sent["task_id"],
            datetime.fromisoformat(sent["planned"]),
            datetime.fromisoformat(sent["published"]),
        ),
        unread=unread,
    )


def record_from(plain: Plain) -> Record:
    """Convert a line of the history in the API's JSON to a Record, without the outcome of the
    run."""
    return Record(
        name=plain["entry"],
        planned=datetime.fromisoformat(plain["planned"]),
        state=plain["state"],
        reason=plain["reason"],
        task_id=plain["task_id"],
        published=_moment(plain["published"]),
        late=plain["late"],
        until=_moment(plain.get("until")),
        count=plain.get("count", 1),
        at_least=plain.get("at_least", False),
        origin=plain["origin"],
    )


def change_from(plain: Plain) -> ChangeRecord:
    """Convert a change of an entry in the API's JSON to a ChangeRecord."""
    return ChangeRecord(
        id=plain["id"],
        at=datetime.fromisoformat(plain["at"]),
        name=plain["entry"],
        action=plain["action"],
        author=Author(plain["by"], plain["via"], plain["note"]),
        before=_state(plain["before"]),
        after=_state(plain["after"]),
    )


def incident_from(plain: Plain) -> Incident:
    """Convert an incident in the API's JSON to an Incident."""
    return Incident(
        kind=plain["kind"],
        name=plain["entry"] or "",
        opened=datetime.fromisoformat(plain["opened"]),
        closed=_moment(plain["closed"]),
        observed=plain["observed"],
        threshold=plain["threshold"],
        cause=plain["cause"],
        announced=_moment(plain["announced"]),
        resolved=_moment(plain["resolved"]),
        flaps=plain["flaps"],
        trace=plain["trace"] or "",
    )


def _state(plain: Plain | None) -> EntryState | None:
    if plain is None:
        return None
    definition = plain["definition"]
    return EntryState(
        "" if definition is None else json.encode(definition).decode(),
        plain["source"],
        plain["declared_at"],
        plain["paused"],
        _moment(plain["until"]),
    )


def _pause(plain: Plain | None) -> Pause | None:
    if plain is None:
        return None
    at = datetime.fromisoformat(plain["at"])
    return Pause(at, plain["by"], _moment(plain["until"]), plain["note"])


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
