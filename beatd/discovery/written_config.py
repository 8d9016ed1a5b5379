"""Write the configuration of `beatd init`: what was found, and the other settings as comments."""

import os
from pathlib import Path

from beatd.config.schemes import DJANGO
from beatd.discovery.project import SCHEDULES, Project

EXAMPLE_TASK = "proj.tasks.report"
DEFAULT_BROKER = "redis://localhost:6379/0"
DEFAULT_STORE = "sqlite:///beatd.db"
HEAD = """\
# The configuration of beatd, written by `beatd init`. `beatd check` reads it, `beatd doctor` tries
# its connections, `beatd run` runs the daemon. ${NAME} is read from the environment. Paths are
# relative to the folder of this file. docs/configuration.md has every setting.
"""
REST = """\
# What runs, by name. `beatd next NAME` shows when.
#entries:
#  nightly-report:
#    task: {task}
#    cron: "30 2 * * *"          # or every: 5m, at: 2027-01-01T09:00, crontab, solar, rrule
#    tz: Europe/Berlin
#    kwargs: {{full: true}}
#    options: {{queue: periodic, expires: 1h}}
#  heartbeat:
#    task: {task}
#    every: 30s

# Keys of all entries in this file and in `schedules`, unless an entry has its own.
#defaults: {{options: {{queue: periodic}}}}

# The page, the API and the probes of this daemon, for this machine only.
#http: {{bind: "127.0.0.1:9753"}}

# What becomes of a run, workers report. For that, two lines stand in the Celery app:
#   from beatd import worker
#   worker.report(app)
# or a worker is started with --include beatd.worker.auto. results asks the result backend instead.
#outcomes: {{from: reports}}

# Who is told of incidents: webhooks, mail, chat. `beatd alerts test` tries them.
#alerts: {{to: ["https://example.org/hook"]}}

# How long `beatd history` keeps what ran.
#history: {{keep: 7d}}

# json for a collector of logs.
#log: {{level: info, format: text}}
"""


def written_config(project: Project, *, folder: Path, searched: Path) -> str:
    """Return the text of a configuration in `folder` for a project that was found in `searched`.

    No password is in it: a URL of the environment is written as the name of its variable.
    """
    task = project.tasks[0] if project.tasks else EXAMPLE_TASK
    parts = [HEAD, _timezone(project), _app(project), _broker(project), _store(project)]
    parts += [_schedules(project, folder, searched), REST.format(task=task)]
    return "\n".join(part for part in parts if part)


def _timezone(project: Project) -> str:
    if project.app is not None:
        return (
            "# Zone of entries without `tz`. Left out, it is the app's.\n#timezone: Europe/Berlin\n"
        )
    return "# Zone of entries without `tz`.\ntimezone: UTC\n"


def _app(project: Project) -> str:
    if project.app is not None:
        lines = [
            "# The Celery app: its broker, routes, queues and beat_schedule are used.",
            "# It is imported from the folder in which the daemon is started.",
            f"app: {_quoted(project.app)}",
        ]
        others = [one for one in project.apps if one.spelling != project.app]
        lines += [f"#app: {_quoted(one.spelling)}" for one in others]
        return "\n".join(lines) + "\n"
    lines = ["# A Celery app, if entries are to use its routes, queues and beat_schedule."]
    lines += [f"#app: {_quoted(one.spelling)}" for one in project.apps] or ["#app: proj.celery:app"]
    return "\n".join(lines) + "\n"


def _broker(project: Project) -> str:
    if project.app is not None:
        return (
            "# Where tasks are published. Left out, it is the app's broker.\n"
            f'#broker: {{url: "{DEFAULT_BROKER}"}}\n'
        )
    lines = ["# Where tasks are published: the broker of the workers."]
    if project.broker is None:
        lines.append(f'broker: {{url: "{DEFAULT_BROKER}"}}')
    else:
        lines.append(f'broker: {{url: "{project.broker.reference}"}}')
    lines += _alternatives("broker", project)
    return "\n".join(lines) + "\n"


def _store(project: Project) -> str:
    lines = ["# Where entries, plan and history are kept; the same for all daemons and commands."]
    prefix = DJANGO if project.uses_django_tables else ""
    if project.store is None:
        lines.append(
            "# A file serves daemons on one host; postgresql://, mysql:// or redis:// more."
        )
        lines.append(f'store: {{url: "{DEFAULT_STORE}"}}')
        if prefix:
            lines.append("# Or the rows of django-celery-beat, which the admin goes on editing:")
            lines.append(f'#store: {{url: "{prefix}postgresql://USER@HOST/DATABASE"}}')
    else:
        if prefix:
            lines.append("# The entries are the rows of django-celery-beat, edited in the admin.")
        lines.append(f'store: {{url: "{prefix}{project.store.reference}"}}')
    lines += _alternatives("store", project, prefix)
    return "\n".join(lines) + "\n"


def _alternatives(section: str, project: Project, prefix: str = "") -> list[str]:
    known = project.brokers if section == "broker" else project.databases
    chosen = project.broker if section == "broker" else project.store
    return [f'#{section}: {{url: "{prefix}{one.reference}"}}' for one in known if one != chosen]


def _schedules(project: Project, folder: Path, searched: Path) -> str:
    place = Path(os.path.relpath(searched / SCHEDULES, folder)).as_posix()
    head = "# Files and folders with more entries, applied to the store and watched."
    if project.schedules:
        return f"{head}\nschedules: [{_quoted(f'{place}/')}]\n"
    return f"{head}\n#schedules: [{_quoted(f'{place}/')}]\n"


def _quoted(text: str) -> str:
    """Return a text as YAML, in quotes where it needs them."""
    if text.replace("/", "").replace(".", "").replace(":", "").replace("_", "").isalnum():
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
