"""List the entries of a small SQLite store without SQLAlchemy, whose import takes too long.

In every unusual case `glance` returns None. The caller then reads the store with SQLAlchemy, which
raises the right error.
"""

import sqlite3
from collections.abc import Container, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from time import time_ns
from typing import Any
from urllib.parse import quote

from msgspec import MsgspecError, Struct, json
from msgspec.structs import replace

from beatd.catalog import Codec, Plan, Query, Stored
from beatd.changes import Pause
from beatd.errors import StoreError
from beatd.history import Record
from beatd.last_sent import RECORDS_READ, has_no_end, sent_last
from beatd.leader import Holder
from beatd.marks import COPIED_KEY, RELOAD_KEY, RELOAD_LASTS
from beatd.outcome import Delivery, EntryOutcome
from beatd.presence import Presence, leading
from beatd.run import MICROSECOND, Running, micros, moment_of
from beatd.stores.damage import UNREADABLE
from beatd.stores.searched_tasks import inside_canvas

VERSION = 4  # of the schema that is read here; a test holds it to the store's
MOST = 1000

_ROWS = """
SELECT p.name, p.revision, p.planned, p.due, p.runs, p.last, p.fingerprint, p.rules,
       e.definition, e.source, e.declared_at, e.paused, s.pause,
       r.task_id, r.since, r.until, r.waits
FROM beatd_plan p JOIN beatd_entry e ON e.name = p.name LEFT JOIN beatd_running r ON r.name = p.name
  LEFT JOIN beatd_pause s ON s.name = p.name AND e.paused
"""
_OUTCOMES = "SELECT name, failures, successes, last_success, first, newest FROM beatd_entry_outcome"
_RECORDS = """
SELECT name, planned, state, task_id, published FROM beatd_history WHERE name = ?
ORDER BY id DESC LIMIT ?
"""
_NEWEST = "SELECT name, state FROM beatd_history ORDER BY id DESC LIMIT ?"
_RELOAD = """
SELECT 1 FROM beatd_applied a JOIN beatd_ledger l ON l.token = a.digest
WHERE l.id = 1 AND a.source = ? AND a.loaded_at > ?
"""
_COPIED = "SELECT 1 FROM beatd_applied WHERE source = ? AND digest <> ''"
_ORDERS = {"name": "p.name", "next": "p.due IS NULL, p.due, p.name"}


class Glance(Struct, frozen=True):
    """The result of a quick search: entries, their newest outcomes by name, and the failing
    names.

    `daemon_leads` is True if a daemon leads now. If none does, `reloads` is True if the one that
    led last is reloading.
    """

    rows: Sequence[Stored]
    outcomes: Mapping[str, EntryOutcome]
    failing: Container[str]
    daemon_leads: bool
    reloads: bool


def glance(path: Path, query: Query, codec: Codec, records: int) -> Glance | None:
    """Find entries in a small SQLite store without SQLAlchemy, or return None if this is
    impossible.

    It is impossible for an unreadable store, another schema version, more than 1000 matches, a
    condition that `beatd list` never uses, or a store that was copied to another one. In a large
    store, only a search for entries that are due before a moment is possible. An entry is failing
    if its newest result, among the newest `records` in the history, is a failure.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as there:
            (version,) = there.execute("SELECT version FROM beatd_ledger WHERE id = 1").fetchone()
            if version != VERSION or _has_other_conditions(query):
                return None
            if not (_is_in_order_of_due(query) or _is_small(there)):
                return None  # a large store has indexes that the store itself uses
            rows = _rows(there, query)
            if len(rows) > MOST:
                return None
            stored = [_stored(row, codec) for row in rows]
            now = datetime.now(UTC)
            running = {row.entry.name: row.running for row in stored}
            known = {
                name: _with_sent(there, outcome, running[name], now)
                for name, outcome in _outcomes(there, stored).items()
            }
            leads = _daemon_leads(there)
            if not leads and there.execute(_COPIED, (COPIED_KEY,)).fetchone() is not None:
                return None
            if not leads:
                known = {
                    name: replace(one, unread=has_no_end(running[name], one, now))
                    for name, one in known.items()
                }
            reloads = not leads and _reloads(there)
            return Glance(stored, known, _failing(there, records), leads, reloads)
    except (sqlite3.Error, MsgspecError, StoreError, AttributeError, *UNREADABLE):
        return None


def _has_other_conditions(query: Query) -> bool:
    others = (query.names, query.rules_before, query.contains, query.paused, query.after)
    return any(condition is not None for condition in others)


def _is_in_order_of_due(query: Query) -> bool:
    return query.order == "next" and query.due_before is not None


def _is_small(there: sqlite3.Connection) -> bool:
    some = there.execute("SELECT 1 FROM beatd_plan LIMIT ?", (MOST + 1,)).fetchall()
    return len(some) <= MOST


def _rows(there: sqlite3.Connection, query: Query) -> list[tuple[Any, ...]]:
    # One row more than glance may return shows that there are too many.
    asked: list[tuple[str, *tuple[object, ...]]] = []
    if query.name_like is not None:
        asked.append(("p.name GLOB ?", _plain_glob(query.name_like)))
    if query.task_like is not None:
        patterns = query.task_like, inside_canvas(query.task_like)
        asked.append(("(e.task GLOB ? OR e.task GLOB ?)", *map(_plain_glob, patterns)))
    if query.source is not None:
        asked.append(("e.source = ?", query.source))
    if query.due_before is not None:
        asked.append(("p.due < ?", micros(query.due_before)))
    if query.enabled is not None:
        asked.append(("p.active = ?", int(query.enabled)))
    where = f" WHERE {' AND '.join(text for text, *_ in asked)}" if asked else ""
    limit = min(MOST + 1, MOST + 1 if query.limit is None else query.limit)
    order = "p.due, p.name" if _is_in_order_of_due(query) else _ORDERS[query.order]
    statement = f"{_ROWS}{where} ORDER BY {order} LIMIT {limit}"
    return there.execute(statement, [value for _, *values in asked for value in values]).fetchall()


def _plain_glob(pattern: str) -> str:
    # Brackets in the shell pattern match themselves.
    return pattern.replace("[", "[[]")


def _stored(row: tuple[Any, ...], codec: Codec) -> Stored:
    (name, revision, planned, due, runs, last, fingerprint, rules, *defined) = row
    definition, source, declared_at, paused, pause, task_id, since, until, waits = defined
    has_texts = isinstance(source, str) and isinstance(declared_at, str)
    if not (has_texts and isinstance(revision, int) and isinstance(runs, int)):
        raise TypeError("a value has another type")  # SQLite keeps any value in any column
    running = None
    if task_id is not None:
        running = Running(task_id, moment_of(since), moment_of(until), bool(waits))
    return Stored(
        entry=codec.decode(name, definition.encode(), source, declared_at),
        revision=revision,
        paused=bool(paused),
        plan=Plan(_moment(planned), _moment(due), fingerprint, rules),
        runs=runs,
        last=_moment(last),
        running=running,
        pause=None if pause is None else json.decode(pause, type=Pause),
    )


def _outcomes(there: sqlite3.Connection, rows: Sequence[Stored]) -> dict[str, EntryOutcome]:
    names = [row.entry.name for row in rows]
    found = there.execute(f"{_OUTCOMES} WHERE name IN ({','.join('?' * len(names))})", names)
    return {
        name: EntryOutcome(
            name=name,
            newest=json.decode(newest, type=Delivery),
            failures=failures,
            successes=successes,
            last_success=_moment(last_success),
            first=_moment(first),
        )
        for name, failures, successes, last_success, first, newest in found
    }


def _with_sent(
    there: sqlite3.Connection, outcome: EntryOutcome, running: Running | None, now: datetime
) -> EntryOutcome:
    records = [
        Record(name, moment_of(planned), state, task_id=task_id, published=_moment(published))
        for name, planned, state, task_id, published in there.execute(
            _RECORDS, (outcome.name, RECORDS_READ)
        )
    ]
    sent = sent_last(running, outcome, records, now)
    if sent is None:
        return outcome
    reported = there.execute(
        "SELECT 1 FROM beatd_delivery WHERE task_id = ? LIMIT 1", (sent.task_id,)
    ).fetchone()
    return outcome if reported else replace(outcome, sent=sent)


def _failing(there: sqlite3.Connection, records: int) -> Container[str]:
    newest: dict[str, str] = {}
    for name, state in there.execute(_NEWEST, (records,)):
        if state in ("published", "failed"):
            newest.setdefault(name, state)
    return {name for name, state in newest.items() if state == "failed"}


def _daemon_leads(there: sqlite3.Connection) -> bool:
    (holder,) = there.execute("SELECT holder FROM beatd_ledger WHERE id = 1").fetchone()
    now = time_ns() // 1_000
    alive = there.execute("SELECT presence FROM beatd_daemon WHERE until > ?", (now,))
    presences = [json.decode(presence, type=Presence) for (presence,) in alive]
    return leading(presences, json.decode(holder, type=Holder) if holder else None) is not None


def _reloads(there: sqlite3.Connection) -> bool:
    since = time_ns() // 1_000 - RELOAD_LASTS // MICROSECOND
    return there.execute(_RELOAD, (RELOAD_KEY, since)).fetchone() is not None


def _moment(value: int | None) -> Any:
    return None if value is None else moment_of(value)
