"""A store in the database of django-celery-beat, which also updates django-celery-beat's own rows.

It writes there when each task ran last, and how often it ran.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock

from msgspec import Struct
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    Update,
    case,
    false,
    update,
)
from sqlalchemy.exc import DBAPIError

from beatd.catalog import Codec
from beatd.ledger import Result
from beatd.run import micros
from beatd.servers.sql_errors import one_line
from beatd.stores.sql import SqlStore
from beatd.stores.sql.entry_reader import CHUNK
from beatd.stores.sql.open_claims import OpenBatch

PREFIX = "django-celery-beat+"
SOURCE = "django-celery-beat:"
ROW_LOCK_MS = 100  # how long a record waits for a row that another program has locked
MOST_RUNS = 2**31 - 1  # what total_run_count can hold
MOST_REFUSED = 10  # rows that may refuse in one `tell_again` before it stops

log = logging.getLogger("beatd")

task = Table(
    "django_celery_beat_periodictask",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", String(200)),
    Column("one_off", Boolean),
    Column("enabled", Boolean),
    Column("expires", DateTime(timezone=True)),
    Column("last_run_at", DateTime(timezone=True)),
    Column("total_run_count", Integer),
)


class Ran(Struct, frozen=True):
    """Runs that are still to be counted in a row of django-celery-beat: their number and the last
    time."""

    count: int
    at: datetime

    @property
    def key(self) -> tuple[int, datetime]:
        return self.count, self.at

    def and_also(self, other: "Ran | None") -> "Ran":
        """Return the sum of two counts of runs with the later of their times; None counts as no
        runs."""
        if other is None:
            return self
        return Ran(self.count + other.count, max(self.at, other.at))


class DjangoStore(SqlStore):
    """A SQL store that also counts each run in the table of tasks of django-celery-beat.

    It updates last_run_at and total_run_count, and disables one-off rows that ran. It does not
    write django-celery-beat's `PeriodicTasks` row, because Django's own schedulers would then read
    all entries again.
    """

    def __init__(
        self, url: str, *, codec: Codec, timeout: float = 2.0, create: bool = True
    ) -> None:
        super().__init__(url.removeprefix(PREFIX), codec=codec, timeout=timeout, create=create)
        self._keeping = Lock()
        self._untold: dict[str, Ran] = {}  # by name: runs that the row refused
        self._failed: dict[str, Ran] = {}  # by name: runs refused in the current `record`
        self._said = False

    def record(self, results: Sequence[Result]) -> None:
        self._failed = {}
        super().record(results)
        self._keep(self._failed)

    def _record(
        self, mine: Sequence[OpenBatch], by_task: dict[str, Result], connection: Connection
    ) -> list[OpenBatch]:
        left = super()._record(mine, by_task, connection)
        ran: dict[str, Ran] = {}
        for result in by_task.values():
            run = result.run
            mirrored = run.entry.source.startswith(SOURCE) and not run.occurrence.request
            if mirrored and result.outcome.sent == "confirmed":
                name = run.occurrence.name
                ran[name] = Ran(1, result.at).and_also(ran.get(name))
        # A row that refused before is left to `tell_again`, so that it cannot delay the others.
        self._failed = {name: its for name, its in ran.items() if name in self._untold}
        told = {name: its for name, its in ran.items() if name not in self._untold}
        if told and not self._tell_rows(connection, told):
            self._failed |= told
        return left

    def _tell_rows(self, connection: Connection, ran: Mapping[str, Ran]) -> bool:
        # `ran` is by entry name. Returns False, without a change, if the database refuses or a row
        # stays locked. Raises DBAPIError if the whole transaction was undone and must be repeated.
        # The rows are another program's: a refusal must not prevent beatd's own record.
        alike: dict[Ran, list[str]] = defaultdict(list)
        for name, its in ran.items():
            alike[its].append(name)
        try:
            with connection.begin_nested():
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {ROW_LOCK_MS}")
                for its, names in sorted(alike.items(), key=lambda pair: pair[0].key):
                    names.sort()
                    for start in range(0, len(names), CHUNK):
                        connection.execute(_ended(connection, its, names[start : start + CHUNK]))
        except DBAPIError as error:
            cause, dialect = error.orig or error, self._db.dialect
            # A time-out undoes the statement; a deadlock, in MySQL, the whole transaction.
            undone = dialect.attempts(cause) > 1 and not dialect.waited(cause)
            if undone or error.connection_invalidated:
                raise
            self._say(one_line(cause))
            return False
        return True

    def _keep(self, failed: Mapping[str, Ran]) -> None:
        # Runs that the rows refused are kept here until `tell_again` writes them.
        with self._keeping:
            for name, its in failed.items():
                self._untold[name] = its.and_also(self._untold.get(name))

    def _say(self, reason: str) -> None:
        # `tell_again` resets `_said` when it has written all runs, so a lasting failure is logged
        # once.
        if not self._said:
            log.warning(
                "django-celery-beat: rows are not told what ran: %s; runs go on, and it is tried "
                "again",
                reason,
            )
        self._said = True

    def tell_again(self) -> None:
        """Try again to count runs in those rows of django-celery-beat that could not be updated
        before.

        Each row has a transaction of its own; runs that are refused again wait for the next call. A
        call stops after ten refusals.
        """
        refused = 0
        for name in list(self._untold):
            with self._keeping:
                its = self._untold.pop(name)
            try:
                done = self._db.write(partial(self._tell_rows, ran={name: its}))
            except BaseException:
                self._keep({name: its})
                raise
            if not done:
                self._keep({name: its})  # at the end: the next call tries the others first
                refused += 1
            if refused == MOST_REFUSED:
                break
        if not self._untold:
            self._said = False

    def disable_what_ended(self, now: datetime) -> int:
        """Disable the rows of django-celery-beat that will not run again, and return their number.

        These are rows that have expired at `now`, and one-off rows that another scheduler ran; the
        run count of the latter is set to 0.
        """

        def work(connection: Connection) -> int:
            ran = connection.execute(
                update(task)
                .where(task.c.one_off, task.c.enabled, task.c.total_run_count > 0)
                .values(enabled=False, total_run_count=0)
            )
            ended = connection.execute(
                update(task)
                .where(task.c.enabled, task.c.expires <= moment_for(connection, now))
                .values(enabled=False)
            )
            return int(ran.rowcount + ended.rowcount)

        return self._db.write(work)


def _ended(connection: Connection, ran: Ran, names: Sequence[str]) -> Update:
    # The column has 32 bits, signed: the count stops at the largest number.
    room = task.c.total_run_count <= MOST_RUNS - ran.count
    count = case((room, task.c.total_run_count + ran.count), else_=MOST_RUNS)
    return (
        update(task)
        .values(
            last_run_at=moment_for(connection, ran.at),
            # A one-off has run: django-celery-beat disables it and begins to count anew.
            total_run_count=case((task.c.one_off, 0), else_=count),
            enabled=case((task.c.one_off, false()), else_=task.c.enabled),
        )
        # As values, not as a relation: MariaDB and MySQL compare these as the column does,
        # whatever its collation, and refuse a column of another one.
        .where(task.c.name.in_(names))
    )


def moment_for(connection: Connection, moment: datetime) -> datetime:
    """Convert a time to the form in which Django stores it in this database.

    It has a time zone in PostgreSQL; elsewhere it is in UTC without one.
    """
    exact = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros(moment))
    return exact if connection.dialect.name == "postgresql" else exact.replace(tzinfo=None)
