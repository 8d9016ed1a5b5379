"""Read from the store and the broker all that `beatd why` needs to know about one entry."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from msgspec import Struct, json

from beatd.catalog import Query, Stored
from beatd.changes import ChangeRecord, EntryState, added_at
from beatd.history import History, Record
from beatd.incident import Incident
from beatd.ledger import OpenClaim, Request
from beatd.marks import CopiedTo
from beatd.outcome import Delivery
from beatd.presence import Presence
from beatd.requested_run import RequestedRun, requested_run
from beatd.run import moment_of
from beatd.store import Roles

RECORDS_READ = 2000  # of one entry, the newest
OUTCOMES_READ = 200  # of the newest of them
CLAIMS_READ = 1000
REQUESTED_READ = 20  # of the newest runs by hand
CHANGES_READ = 50  # of one entry, the newest
OTHER_RECORDS_READ = 200  # of any entry, to see whether workers report at all
LATEST_MOMENT = moment_of(253_402_300_799_000_000)


class QueueState(Protocol):
    """The broker queue of an entry's messages; a count is None if the broker cannot report it."""

    @property
    def name(self) -> str: ...
    @property
    def exchange(self) -> str: ...
    @property
    def routing_key(self) -> str: ...
    @property
    def messages(self) -> int | None: ...
    @property
    def consumers(self) -> int | None: ...


class Facts(Struct, frozen=True, kw_only=True):
    """All facts about the entry `name` at the time `now` that `beatd why` needs.

    - `row` is the entry, None if there is none.
    - `tz` is the time zone of the answer, that of the configuration.
    - `at` is the moment in question, None for the newest one.
    - `records` are the entry's records of history, the newest first, with its open claims.
    - `requested` is who requested its newest runs by hand, by task id.
    - `deliveries` are the deliveries of its newest runs, by task id.
    - `claims` are its open claims (runs that were claimed, and not recorded).
    - `requests` are the pending runs that somebody asked for by hand.
    - `daemons` are the running daemons.
    - `refusal` is why the store refuses writes, or an empty text.
    - `problems` are the lines that `beatd check` prints for the configuration.
    - `reports_seen` is True if a worker ever reported a run of this store.
    - `incidents` are the open incidents of the entry and of the whole installation.
    - `added` is when the entry was added, None if unknown or if `at` is None.
    - `disabled` is the newest change that disabled the entry, None if unknown.
    - `reloads_since` is since when the daemon that led last is reloading, None if it is not.
    - `copied` is where the store was copied to, None if it was not: then no daemon runs on it.
    - `queue` is the queue of its messages, None if it was not read.
    """

    name: str
    now: datetime
    row: Stored | None
    tz: str = "UTC"
    at: datetime | None = None
    records: Sequence[Record] = ()
    deliveries: Mapping[str, Sequence[Delivery]] = {}
    requested: Mapping[str, RequestedRun] = {}
    claims: Sequence[OpenClaim] = ()
    requests: Sequence[Request] = ()
    daemons: Sequence[Presence] = ()
    refusal: str = ""
    problems: Sequence[str] = ()
    reports_seen: bool = True
    queue: QueueState | None = None
    added: datetime | None = None
    disabled: ChangeRecord | None = None
    incidents: Sequence[Incident] = ()
    reloads_since: datetime | None = None
    copied: CopiedTo | None = None

    @property
    def leader(self) -> Presence | None:
        return next((one for one in self.daemons if one.role == "leader"), None)


def facts_of(
    store: Roles,
    name: str,
    *,
    now: datetime,
    at: datetime | None,
    tz: str,
    refusal: str,
    problems: Sequence[str],
    queue_of: Callable[[Stored], QueueState | None],
) -> Facts:
    """Read all facts about the entry `name` that `beatd why` needs."""
    row = next(iter(store.catalog.find(Query(names=(name,)))), None)
    records = records_of(store.history, name, row, at)
    ids = [record.task_id for record in records[:OUTCOMES_READ] if record.task_id]
    if at is not None:
        ids += [one.task_id for one in records if one.task_id and one.planned == at]
    claims = [
        claim
        for claim in store.ledger.unknowns(LATEST_MOMENT, CLAIMS_READ)
        if claim.occurrence.name == name
    ]
    requests = [one for one, _ in store.requests.requests(CLAIMS_READ) if one.name == name]
    deliveries = store.outcomes.outcomes(ids)
    term = store.terms.term()
    return Facts(
        name=name,
        now=now,
        row=row,
        tz=tz,
        at=at,
        records=records,
        requested=_requested(store, records, at),
        deliveries=deliveries,
        claims=claims,
        requests=requests,
        daemons=store.presences.daemons(),
        reloads_since=store.catalog.marks.reloads_since(term[0].token if term else None, now),
        copied=store.catalog.marks.copied_to(),
        refusal=refusal,
        problems=problems,
        reports_seen=bool(deliveries) or _any_report(store),
        queue=None if row is None else queue_of(row),
        added=None if row is None or at is None else added_at(store.changes, name),
        disabled=None if row is None or row.entry.enabled else _disabling(store, name),
        incidents=[
            one
            for one in store.incidents.open_incidents()
            if one.closed is None and one.name in ("", name)
        ],
    )


def records_of(
    history: History, name: str, row: Stored | None, at: datetime | None
) -> list[Record]:
    """Return the newest records of an entry, at most RECORDS_READ.

    They go back to the record of the moment `at` (None: of the entry's last run), and OUTCOMES_READ
    further, as an answer also names runs before it.
    """
    found: list[Record] = []
    wanted = at if at is not None or row is None else row.last
    left = OUTCOMES_READ if wanted is None else None
    for record in islice(history.history(name, RECORDS_READ), RECORDS_READ):
        found.append(record)
        if left is not None:
            left -= 1
        elif wanted is not None and _reaches(record, wanted):
            left = OUTCOMES_READ
        if left == 0:
            break
    return found


def _reaches(record: Record, moment: datetime) -> bool:
    """Return True if a record is about this moment, or about a run published before it.

    No run is published early, so all records before that are about earlier moments.
    """
    last = record.planned if record.until is None else record.until
    before = record.published is not None and record.published < moment
    return before or record.planned <= moment <= last


def _requested(
    store: Roles, records: Sequence[Record], at: datetime | None
) -> dict[str, RequestedRun]:
    by_hand = [one for one in records if one.origin in ("trigger", "resend")]
    wanted = by_hand[:REQUESTED_READ]
    if at is not None:
        # An operator types a moment without microseconds.
        wanted += [one for one in by_hand if one.planned.replace(microsecond=0) == at]
    marks = store.catalog.marks
    found = ((one.task_id, requested_run(marks, one)) for one in wanted)
    return {task_id: one for task_id, one in found if one is not None}


def _disabling(store: Roles, name: str) -> ChangeRecord | None:
    for record in store.changes.changes(name, CHANGES_READ):
        if _is_enabled(record.after):
            break  # an edit without a record disabled it
        if record.before is None or _is_enabled(record.before):
            return record
    return None


def _is_enabled(state: EntryState | None) -> bool:
    if state is None or not state.definition:
        return False
    plain = json.decode(state.definition, type=dict[str, Any])
    return bool(plain.get("enabled", True))


def _any_report(store: Roles) -> bool:
    newest = store.history.history(None, OTHER_RECORDS_READ)
    ids = [record.task_id for record in newest if record.task_id]
    return bool(store.outcomes.outcomes(ids))
