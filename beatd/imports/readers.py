"""Read the tasks of another scheduler from a source such as "crontab:PATH" or a Redis URL."""

from pathlib import Path

from msgspec import Struct

from beatd.errors import ConfigError
from beatd.imports.found_entry import Read
from beatd.secret import learn_url

#: The spelling of each source, and its help.
SOURCES = {
    "celerybeat-schedule:PATH": "the file of celery's PersistentScheduler",
    "redbeat+redis://HOST/DB": "RedBeat",
    "redbeat+redis-sentinel://HOST:PORT;…/SERVICE/DB": "RedBeat behind Sentinels",
    "redbeat+redis-cluster://HOST:PORT,…": "RedBeat in a Cluster",
    "django-celery-beat+postgresql://…": "a copy of django-celery-beat's tables",
    "sqlalchemy-celery-beat+URL": "sqlalchemy-celery-beat's tables",
    "celery-sqlalchemy-scheduler+URL": "celery-sqlalchemy-scheduler's tables",
    "crontab:PATH": "a system crontab file",
    "app:MODULE": "the beat_schedule of a Celery app",
}
_TABLES = ("django-celery-beat", "sqlalchemy-celery-beat", "celery-sqlalchemy-scheduler")


class SourceOptions(Struct, frozen=True, kw_only=True):
    """Options of an import for reading the tasks of another scheduler.

    `timezone` is for times without a zone; with `given_timezone`, it also replaces the source's
    own. `prefix` is that of RedBeat's keys, `schema` that of database tables. For crontab files,
    `runner` is the task that runs shell commands; `user_column` is True if lines name a user.
    """

    timezone: str = "UTC"
    given_timezone: bool = False
    prefix: str = "redbeat:"
    schema: str | None = None
    runner: str | None = None
    user_column: bool | None = None


class OpenedSource(Struct, frozen=True):
    """The tasks that were read from another scheduler, their time zone, and the kind of scheduler.

    The kind is a word such as "crontab" or "redbeat".
    """

    read: Read
    timezone: str
    kind: str


def read(source: str, options: SourceOptions | None = None) -> OpenedSource:
    """Read the tasks of another scheduler from a source such as "crontab:PATH"; SOURCES lists all
    forms.

    Raises ConfigError for a text of another form, and if the content is not of the named kind.
    """
    learn_url(source)
    wished = options or SourceOptions()
    if source.startswith("redbeat+"):
        from beatd.imports.redbeat import read_redbeat

        url = source.removeprefix("redbeat+")
        content = read_redbeat(url, prefix=wished.prefix, timezone=wished.timezone)
        return OpenedSource(content, wished.timezone, "redbeat")
    for kind in _TABLES:
        if source.startswith(f"{kind}+"):
            return _tables(kind, source.removeprefix(f"{kind}+"), wished)
    kind, colon, rest = source.partition(":")
    if colon and rest:
        if kind == "celerybeat-schedule":
            from beatd.imports.celerybeat_schedule import read_celerybeat_schedule, zone_of

            path = Path(rest.removeprefix("//"))
            content = read_celerybeat_schedule(path)
            own = None if wished.given_timezone else zone_of(path)
            return OpenedSource(content, own or wished.timezone, kind)
        if kind == "crontab":
            from beatd.imports.crontab_file import read_crontab

            content = read_crontab(
                Path(rest.removeprefix("//")),
                runner=wished.runner,
                user_column=wished.user_column,
            )
            return OpenedSource(content, wished.timezone, kind)
        if kind == "app":
            from beatd.imports.beat_schedule import read_app

            content, zone = read_app(rest)
            return OpenedSource(content, wished.timezone if wished.given_timezone else zone, kind)
    raise ConfigError(f"{_shown(source)} is no source; write one of {', '.join(SOURCES)}")


def _tables(kind: str, url: str, wished: SourceOptions) -> OpenedSource:
    from beatd.imports import scheduler_tables

    layout = {
        "django-celery-beat": scheduler_tables.DJANGO,
        "sqlalchemy-celery-beat": scheduler_tables.SQLALCHEMY_CELERY_BEAT,
        "celery-sqlalchemy-scheduler": scheduler_tables.CELERY_SQLALCHEMY_SCHEDULER,
    }[kind]
    content = scheduler_tables.read_tables(
        url, layout, timezone=wished.timezone, schema=wished.schema
    )
    return OpenedSource(content, wished.timezone, kind)


def _shown(source: str) -> str:
    # Only the kind: the rest may contain a password.
    return repr(source.split(":", 1)[0].split("+", 1)[0][:40])
