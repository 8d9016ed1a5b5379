"""Everything that `beatd init` finds, and what it chooses of it for the configuration."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from beatd.config import load_entries
from beatd.discovery.celery_apps import FoundApp, apps_in, declares_schedule, tasks_in
from beatd.discovery.environment_urls import (
    READ_BY_CELERY,
    FoundUrl,
    as_store,
    broker_urls,
    database_urls,
)
from beatd.discovery.other_schedulers import (
    FoundDjango,
    django_in,
    mentioned_schedulers,
    schedule_file,
)
from beatd.discovery.python_files import python_files

SCHEDULES = "schedules"


class Project(Struct, frozen=True, kw_only=True):
    """What a folder and the environment have.

    `apps` are the Celery apps, `app` the one to be used. `brokers` and `databases` are variables
    of the environment with URLs, `broker` and `store` the ones to be used; with an app, its own
    broker is used. `schedules` is True if the
    folder `schedules` has entry files without an error. `mentioned` are other schedulers that the
    code names, each with a file that does.
    """

    apps: tuple[FoundApp, ...]
    app: str | None
    brokers: tuple[FoundUrl, ...]
    broker: FoundUrl | None
    databases: tuple[FoundUrl, ...]
    store: FoundUrl | None
    django: FoundDjango | None
    mentioned: Mapping[str, Path]
    declares_schedule: bool
    tasks: tuple[str, ...]
    schedule_file: Path | None
    schedules: bool
    schedules_problem: str = ""

    @property
    def uses_django_tables(self) -> bool:
        """True if the store is to lie in the tables of django-celery-beat."""
        return self.django is not None and "django-celery-beat" in self.mentioned


def project_in(folder: Path, environment: Mapping[str, str], *, app: str | None) -> Project:
    """Return what a folder and the environment have; `app` is a Celery app that the user named."""
    files = list(python_files(folder))
    apps = apps_in(files)
    django = django_in(files)
    mentioned = mentioned_schedulers(files)
    in_tables = django is not None and "django-celery-beat" in mentioned
    brokers = broker_urls(environment)
    databases = database_urls(environment, django=in_tables)
    chosen = app or next((one.spelling for one in apps if one.is_importable), None)
    # An app may have another broker than a variable says, unless Celery itself reads that one.
    sure = [one for one in brokers if chosen is None or one.name == READ_BY_CELERY]
    broker = next((one for one in sure if not one.why_not), None)
    store = next((one for one in databases if not one.why_not), None)
    if store is None and broker is not None and not in_tables:
        store = as_store(broker)
    problem = _problem_of_schedules(folder)
    return Project(
        apps=tuple(apps),
        app=chosen,
        brokers=tuple(brokers),
        broker=broker if chosen is None else None,
        databases=tuple(databases),
        store=store,
        django=django,
        mentioned=mentioned,
        declares_schedule=declares_schedule(files),
        tasks=tuple(tasks_in(files)),
        schedule_file=schedule_file(folder),
        schedules=problem == "",
        schedules_problem=problem or "",
    )


def _problem_of_schedules(folder: Path) -> str | None:
    """Return the first error in the entry files of `schedules`, "" without one; None: no folder."""
    place = folder / SCHEDULES
    if not place.is_dir():
        return None
    loaded = load_entries((SCHEDULES,), folder=str(folder))
    return next((str(problem) for problem in loaded.problems if not problem.warning), "")
