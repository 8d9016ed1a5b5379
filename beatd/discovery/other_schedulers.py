"""Find the scheduler that a project runs now, by its files and by the words in its code."""

import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from beatd.discovery.python_files import PythonFile

SHELVE_PREFIX = "celerybeat-schedule"
#: Endings of files that belong to another one.
NO_SHELVES = ("-wal", "-shm", "-journal", ".bak", ".dir", ".pid")
MENTION = {
    "redbeat": re.compile(r"\bredbeat\b", re.IGNORECASE),
    "sqlalchemy-celery-beat": re.compile(r"\bsqlalchemy_celery_beat\b"),
    "celery-sqlalchemy-scheduler": re.compile(r"\bcelery_sqlalchemy_scheduler\b"),
    "django-celery-beat": re.compile(r"\bdjango_celery_beat\b"),
}


class FoundDjango(Struct, frozen=True):
    """A Django project: its `manage.py`, and the module of its settings or "" if unknown."""

    path: Path
    settings: str


def django_in(files: Sequence[PythonFile]) -> FoundDjango | None:
    """Return the Django project of the files, or None if there is no manage.py."""
    for file in files:
        if file.path.name == "manage.py":
            found = re.search(r"DJANGO_SETTINGS_MODULE['\"]\s*,\s*['\"]([\w.]+)['\"]", file.text)
            return FoundDjango(file.path, found[1] if found else "")
    return None


def mentioned_schedulers(files: Sequence[PythonFile]) -> dict[str, Path]:
    """Return the schedulers that the code names, each with the first file that does."""
    found: dict[str, Path] = {}
    for file in files:
        for kind, pattern in MENTION.items():
            if kind not in found and pattern.search(file.text):
                found[kind] = file.path
    return found


def schedule_file(folder: Path) -> Path | None:
    """Return the file in which celery beat keeps its schedule in this folder, or None."""
    found = sorted(
        path
        for path in folder.glob(f"{SHELVE_PREFIX}*")
        if path.is_file() and not path.name.endswith(NO_SHELVES)
    )
    return found[0].relative_to(folder) if found else None
