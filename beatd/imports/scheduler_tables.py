"""Read the task tables of django-celery-beat, sqlalchemy-celery-beat and
celery-sqlalchemy-scheduler."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from beatd.errors import ConfigError, StoreError
from beatd.imports.found_entry import FoundEntry, Read, Refused, refused
from beatd.imports.table_row import CRONTAB_COLUMNS, row_found, text_of


class Layout(Struct, frozen=True, kw_only=True):
    """The names of the tables in which another scheduler keeps its tasks and their schedules.

    `discriminated` is True if a task names its schedule by a kind and an id; False if the tasks
    have a column for each kind of schedule.
    """

    task: str
    interval: str
    crontab: str
    solar: str
    clocked: str
    discriminated: bool = False


DJANGO = Layout(
    task="django_celery_beat_periodictask",
    interval="django_celery_beat_intervalschedule",
    crontab="django_celery_beat_crontabschedule",
    solar="django_celery_beat_solarschedule",
    clocked="django_celery_beat_clockedschedule",
)
SQLALCHEMY_CELERY_BEAT = Layout(
    task="celery_periodictask",
    interval="celery_intervalschedule",
    crontab="celery_crontabschedule",
    solar="celery_solarschedule",
    clocked="celery_clockedschedule",
    discriminated=True,
)
CELERY_SQLALCHEMY_SCHEDULER = Layout(
    task="celery_periodic_task",
    interval="celery_interval_schedule",
    crontab="celery_crontab_schedule",
    solar="celery_solar_schedule",
    clocked="",
)

_TASK_COLUMNS = (
    *("id", "name", "task", "args", "kwargs", "queue", "exchange", "routing_key", "headers"),
    *("priority", "expires", "expire_seconds", "one_off", "start_time", "enabled", "last_run_at"),
    *("total_run_count", "date_changed", "description"),
)
_SCHEDULE_COLUMNS = {
    "interval": {"every": "interval_every", "period": "interval_period"},
    "crontab": {
        **{key: f"crontab_{key}" for key in CRONTAB_COLUMNS},
        "timezone": "crontab_timezone",
    },
    "solar": {
        "event": "solar_event",
        "latitude": "solar_latitude",
        "longitude": "solar_longitude",
    },
    "clocked": {"clocked_time": "clocked_time"},
}


def read_tables(url: str, layout: Layout, *, timezone: str, schema: str | None = None) -> Read:
    """Read the tasks in the tables of another scheduler; malformed rows are refused.

    `timezone` is for rows without one, `schema` is the database schema. Raises ConfigError if the
    URL cannot be used or there is no task table, and StoreError if the tables cannot be read.
    """
    found: list[FoundEntry] = []
    wrong: list[Refused] = []
    try:
        address = driver_url(url)
        engine = create_engine(address, connect_args=unprepared(address))
    except (SQLAlchemyError, ImportError) as error:
        raise ConfigError(f"the URL cannot be used: {_one_line(error)}") from None
    _refuse_missing_file(engine)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _read_text)
    try:
        with engine.connect() as connection:
            for row in task_rows(connection, layout, schema):
                try:
                    found.append(one_off(row_found(row, timezone=timezone), row))
                except Exception as error:
                    wrong.append(refused(str(row["name"]), error))
    except SQLAlchemyError as error:
        raise StoreError(f"its tables cannot be read: {_one_line(error)}") from None
    finally:
        engine.dispose()
    return Read(found, wrong)


def _read_text(connection: Any, _record: Any) -> None:
    # Text that is not UTF-8 becomes a NoText, instead of an error.
    connection.text_factory = text_of


def _refuse_missing_file(engine: Engine) -> None:
    # SQLite would create it.
    file = engine.url.database
    if engine.dialect.name == "sqlite" and file and file != ":memory:":
        path = Path(file.removeprefix("file:").partition("?")[0])
        if not path.exists():
            raise ConfigError(f"{path}: there is no such file")


def one_off(found: FoundEntry, row: Mapping[str, Any]) -> FoundEntry:
    """Limit a task to a single run if its row has `one_off`, and return it.

    It is disabled if it has run already. Any other task is returned unchanged.
    """
    if not row.get("one_off"):
        return found
    plain = dict(found.plain)
    if found.runs:
        plain["enabled"] = False
    else:
        plain["max_runs"] = 1
    return FoundEntry(
        name=found.name, plain=plain, last=found.last, runs=found.runs, notes=found.notes
    )


def task_rows(
    connection: Connection, layout: Layout, schema: str | None = None
) -> Iterator[Mapping[str, Any]]:
    """Yield each task in a scheduler's tables as a dict, with the columns of its schedule.

    Columns that the database lacks are None. Raises ConfigError if there is no task table.
    """
    shape = shape_of(connection, layout, schema)
    wanted = ", ".join(f"{expression} AS {name}" for name, expression in shape.columns.items())
    rows = connection.execution_options(stream_results=True).execute(
        text(f"SELECT {wanted} FROM {shape.source} ORDER BY t.id")
    )
    for row in rows.mappings():
        yield dict(row)


class Shape(Struct, frozen=True):
    """The columns and the FROM clause of a SELECT of all tasks, made for the columns that exist.

    `columns` maps each column name to its SQL expression; "NULL" if the database lacks the column.
    """

    columns: Mapping[str, str]
    source: str


def shape_of(connection: Connection, layout: Layout, schema: str | None = None) -> Shape:
    """Return the columns and the FROM clause of a SELECT of all tasks in a database.

    Raises ConfigError if there is no task table.
    """
    look = inspect(connection)
    dot = f"{schema}." if schema else ""
    if not look.has_table(layout.task, schema=schema):
        raise ConfigError(f"there is no table {dot}{layout.task} in the database")
    own = {column["name"] for column in look.get_columns(layout.task, schema=schema)}
    columns = {name: f"t.{name}" if name in own else "NULL" for name in _TASK_COLUMNS}
    source = f"{dot}{layout.task} t"
    for kind, named in _SCHEDULE_COLUMNS.items():
        table = getattr(layout, kind)
        if not table or not look.has_table(table, schema=schema):
            columns |= dict.fromkeys(named.values(), "NULL")
            continue
        there = {column["name"] for column in look.get_columns(table, schema=schema)}
        for column, name in named.items():
            columns[name] = f"{kind}_row.{column}" if column in there else "NULL"
        if layout.discriminated:
            on = f"t.discriminator = '{kind}schedule' AND t.schedule_id = {kind}_row.id"
        elif f"{kind}_id" in own:
            on = f"t.{kind}_id = {kind}_row.id"
        else:
            on = "1 = 0"
        source += f" LEFT JOIN {dot}{table} {kind}_row ON {on}"
    return Shape(columns, source)


def driver_url(url: str) -> URL:
    """Return a database URL with the driver that beatd installs, and without beatd's own
    options."""
    known = {
        "postgresql": "postgresql+psycopg",
        "postgres": "postgresql+psycopg",
        "mysql": "mysql+pymysql",
        "mariadb": "mysql+pymysql",
    }
    address = make_url(url).difference_update_query(["pooler"])
    return address.set(drivername=known.get(address.drivername, address.drivername))


def unprepared(address: URL) -> dict[str, Any]:
    """Return connection options that turn off prepared statements in psycopg; {} for other drivers.

    Behind a pooler, a statement may run in another session than the one that prepared it.
    """
    return {"prepare_threshold": None} if address.get_dialect().driver == "psycopg" else {}


def _one_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return " ".join(str(cause).split())[:200] or type(error).__name__
