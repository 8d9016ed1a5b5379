"""django-celery-beat's database as a store: our tables beside its own, whose rows are told what
ran."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    case,
    false,
    update,
)

from beatd.catalog import Codec
from beatd.ledger import Result
from beatd.run import micros
from beatd.stores.sql import SqlStore
from beatd.stores.sql.claims import OpenBatch
from beatd.stores.sql.reader import CHUNK

PREFIX = "django-celery-beat+"
SOURCE = "django-celery-beat:"

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


class DjangoStore(SqlStore):
    """Rows get last_run_at and total_run_count in the transaction that records the run, and the
    marker of changes is left alone: Django's own schedulers would read everything again."""

    def __init__(self, url: str, *, codec: Codec, timeout: float = 2.0) -> None:
        super().__init__(url.removeprefix(PREFIX), codec=codec, timeout=timeout)

    def _record(
        self, mine: Sequence[OpenBatch], by_task: dict[str, Result], connection: Connection
    ) -> list[OpenBatch]:
        left = super()._record(mine, by_task, connection)
        ran: dict[str, list[datetime]] = defaultdict(list)
        for result in by_task.values():
            run = result.run
            mirrored = run.entry.source.startswith(SOURCE) and not run.occurrence.request
            if mirrored and result.outcome.sent == "confirmed":
                ran[run.occurrence.name].append(result.at)
        alike: dict[tuple[int, datetime], list[str]] = defaultdict(list)
        for name, moments in ran.items():
            alike[len(moments), max(moments)].append(name)
        for (count, at), names in sorted(alike.items()):
            ended = update(task).values(
                last_run_at=moment_for(connection, at),
                # A one-off has run: django-celery-beat disables it and begins to count anew.
                total_run_count=case((task.c.one_off, 0), else_=task.c.total_run_count + count),
                enabled=case((task.c.one_off, false()), else_=task.c.enabled),
            )
            names.sort()
            for start in range(0, len(names), CHUNK):
                # As values, not as a relation: MariaDB and MySQL compare these as the column does,
                # whatever its collation, and refuse a column of another one.
                chunk = names[start : start + CHUNK]
                connection.execute(ended.where(task.c.name.in_(chunk)))
        return left

    def disable_what_ended(self, now: datetime) -> int:
        """One-offs that ran under another scheduler, and what has expired; how many."""

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


def moment_for(connection: Connection, moment: datetime) -> datetime:
    """As Django writes it: aware in PostgreSQL, UTC without saying so elsewhere."""
    exact = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros(moment))
    return exact if connection.dialect.name == "postgresql" else exact.replace(tzinfo=None)
