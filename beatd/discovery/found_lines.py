"""Say in lines what `beatd init` found, and what to do next."""

from collections.abc import Iterator
from pathlib import Path

from beatd.discovery.project import Project
from beatd.discovery.written_config import DEFAULT_BROKER


def found_lines(project: Project) -> Iterator[str]:
    """Yield a line for each thing that was found; a last one if there was nothing."""
    nothing = True
    for line in _found(project):
        nothing = False
        yield line
    if nothing:
        yield "nothing: no Celery app, no Django project, no URL in the environment"


def _found(project: Project) -> Iterator[str]:
    for app in project.apps:
        if app.spelling == project.app:
            yield f"the Celery app {app.spelling} ({app.path}): used"
        elif not app.is_importable:
            why = "not used: it is not imported from this folder; give -A"
            yield f"the Celery app {app.spelling} ({app.path}), {why}"
        else:
            yield f"the Celery app {app.spelling} ({app.path}), not used; -A chooses it"
    if project.app is not None and all(one.spelling != project.app for one in project.apps):
        yield f"the Celery app {project.app} of -A: used"
    if project.declares_schedule and project.app is not None:
        yield "a beat_schedule, which beatd reads from the app"
    if project.django is not None:
        settings = (
            f" with the settings {project.django.settings}" if project.django.settings else ""
        )
        yield f"a Django project ({project.django.path}){settings}"
    for kind, path in project.mentioned.items():
        used = ", whose tables are the store" if _is_store(project, kind) else ""
        yield f"the scheduler {kind} ({path}){used}"
    if project.schedule_file is not None:
        yield f"celery beat's own file {project.schedule_file}"
    for url in dict.fromkeys((*project.brokers, *project.databases)):
        uses = [
            word
            for word, chosen in (("the broker", project.broker), ("the store", project.store))
            if chosen is not None and chosen.name == url.name
        ]
        if uses:
            yield f"{url.name} ({url.shown}): used as {' and '.join(uses)}"
        else:
            why = f": {url.why_not}" if url.why_not else ""
            yield f"{url.name} ({url.shown}), not used{why}"
    if project.schedules:
        yield "entry files in schedules/: used"
    elif project.schedules_problem:
        yield f"a folder schedules/, not used: {project.schedules_problem}"


def next_lines(project: Project, config: str) -> Iterator[tuple[str, str]]:
    """Yield the commands to run next, each with what it does. `config` is the file's path."""
    given = "" if config == "config.yaml" else f" -c {config}"
    wanted = dict.fromkeys(one.name for one in (project.broker, project.store) if one is not None)
    if project.app is None and project.broker is None:
        yield "", f"put the URL of your broker into {config}, instead of {DEFAULT_BROKER}"
    if wanted:
        yield "", f"the daemon needs {' and '.join(wanted)} in its environment, too"
    yield f"beatd check{given}", "reports every problem of the file"
    yield f"beatd doctor{given}", "tries every connection, and asks the workers"
    if project.uses_django_tables and project.store is None:
        yield "", "to go on editing in Django's admin, choose its database as store in the file"
    for source in _sources(project):
        yield f"beatd import {source}{given} --dry-run", "shows what its entries become"
    if _is_replaced(project):
        yield "", "stop the other scheduler before beatd runs, or runs are doubled"
    yield f"beatd run{given}", "runs the daemon"


def _sources(project: Project) -> Iterator[str]:
    """Yield the sources of `beatd import` from which entries can be taken over."""
    for kind in project.mentioned:
        if kind == "redbeat":
            names = [one.name for one in project.brokers if one.url.startswith("redis")]
            yield f'"redbeat+${names[0]}"' if names else "redbeat+redis://HOST/DB"
        elif not _is_store(project, kind):
            names = [one.name for one in project.databases]
            yield f'"{kind}+${names[0]}"' if names else f"{kind}+URL"
    # With an app, the file has what the app declares, which beatd reads from the app.
    if project.schedule_file is not None and project.app is None:
        yield f"celerybeat-schedule:{_shell(project.schedule_file)}"


def _is_store(project: Project, kind: str) -> bool:
    in_tables = project.uses_django_tables and project.store is not None
    return kind == "django-celery-beat" and in_tables


def _is_replaced(project: Project) -> bool:
    is_beat = project.app is not None and project.declares_schedule
    return bool(project.mentioned) or project.schedule_file is not None or is_beat


def _shell(path: Path) -> str:
    from shlex import quote

    return quote(str(path))
