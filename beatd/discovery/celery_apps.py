"""Find the Celery apps of a project in its Python files, without importing them."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from beatd.discovery.python_files import PythonFile

SCHEDULE_WORDS = ("beat_schedule", "CELERYBEAT_SCHEDULE", "CELERY_BEAT_SCHEDULE")
TASK_DECORATORS = ("task", "shared_task")


class FoundApp(Struct, frozen=True):
    """A Celery app that a module assigns to a name; `spelling` is what `celery -A` takes.

    `is_importable` is False if the module is not imported from the current folder, as below `src`.
    """

    spelling: str
    path: Path
    is_importable: bool


def apps_in(files: Iterable[PythonFile]) -> list[FoundApp]:
    """Return the apps that the files make, the likeliest first.

    That is one that can be imported from here, in a file `celery.py`, and with the name `app` or
    `celery`.
    """
    found = [
        FoundApp(f"{file.module}:{name}", file.path, _is_importable(file))
        for file in files
        for name in _names_of_apps(file.tree)
    ]

    def rank(app: FoundApp) -> tuple[bool, bool, bool]:
        name = app.spelling.partition(":")[2]
        return not app.is_importable, app.path.name != "celery.py", name not in ("app", "celery")

    return sorted(found, key=rank)


def declares_schedule(files: Iterable[PythonFile]) -> bool:
    """Return True if some file seems to declare periodic tasks for celery beat."""
    return any(
        word in file.text for file in files for word in (*SCHEDULE_WORDS, "add_periodic_task")
    )


def tasks_in(files: Iterable[PythonFile]) -> list[str]:
    """Return the names of the tasks that decorators in the files make."""
    return [name for file in files for name in _names_of_tasks(file)]


def _names_of_apps(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        else:
            continue
        if not _is_call_of(statement.value, "Celery"):
            continue
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _names_of_tasks(file: PythonFile) -> Iterator[str]:
    for statement in file.tree.body:
        if not isinstance(statement, ast.FunctionDef):
            continue
        for decorator in statement.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            if _last_name(call.func if call else decorator) in TASK_DECORATORS:
                yield _given_name(call) or f"{file.module}.{statement.name}"


def _given_name(call: ast.Call | None) -> str:
    for keyword in call.keywords if call is not None else ():
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return ""


def _is_call_of(value: ast.expr | None, name: str) -> bool:
    return isinstance(value, ast.Call) and _last_name(value.func) == name


def _last_name(called: ast.expr) -> str:
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def _is_importable(file: PythonFile) -> bool:
    parts = file.path.with_suffix("").parts
    return parts[0] != "src" and all(part.isidentifier() for part in parts)
