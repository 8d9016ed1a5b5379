"""Arrows point inward: values <- seams <- heart; rooms never import each other, nor the heart."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "beatd"

VALUES = {
    "arguments", "byte_cache", "errors", "problem", "schedule", "entry", "run", "secret",
}  # fmt: skip
SEAMS = {"clock", "catalog", "ledger", "leader", "publisher", "events", "store"}
ROOMS = {"schedules", "stores", "leaders", "publishers", "observers"}
LIBRARIES = {
    "celery", "click", "croniter", "dateutil", "django", "ephem", "kombu", "prometheus_client",
    "psycopg", "pymysql", "pytz", "redis", "rich", "sqlalchemy", "yaml", "boto3", "amqp",
}  # fmt: skip
#: Libraries that come together: one speaks through the other.
FAMILIES = (
    {"celery", "kombu", "amqp", "redis"},
    {"sqlalchemy", "psycopg", "pymysql"},
    {"croniter", "pytz", "dateutil", "ephem", "celery"},
)


def files() -> Iterator[tuple[str, Path]]:
    """Dotted names below beatd, and their files."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


def imported(path: Path) -> Iterator[str]:
    """Absolute names of what a file imports, those for the type checker included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            yield node.module or ""
            # `from beatd import planning`
            if node.module == "beatd":
                yield from (f"beatd.{alias.name}" for alias in node.names)


def ours(path: Path) -> set[str]:
    """First parts of what it imports from beatd: {"entry", "stores", …}."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("beatd.")}


ALL = dict(files())


def room_of(name: str) -> str:
    return name.split(".")[0]


def reached(*names: str) -> set[str]:
    """These and all that they import, down to the seams."""
    found: set[str] = set()
    left = set(names)
    while left:
        name = left.pop()
        found.add(name)
        left |= ours(ALL[name]) - VALUES - SEAMS - found
    return found


#: Whatever the engine and the changes made by hand need: this many files know no backend.
HEART = reached("engine", "applying", "editing")


@pytest.mark.parametrize("name", [name for name in ALL if room_of(name) in VALUES])
def test_values_import_only_values(name: str) -> None:
    assert ours(ALL[name]) <= VALUES


@pytest.mark.parametrize("name", [name for name in ALL if room_of(name) in SEAMS])
def test_seams_import_only_values_and_seams(name: str) -> None:
    assert ours(ALL[name]) <= VALUES | SEAMS


def test_the_heart_reaches_no_room_and_no_edge() -> None:
    edge = {"config", "definition", "wiring", "building", "cli", "celery", "sources", "imports"}
    assert not HEART & (ROOMS | edge)


@pytest.mark.parametrize("name", [name for name in ALL if room_of(name) in ROOMS])
def test_rooms_import_only_themselves_seams_and_values(name: str) -> None:
    assert ours(ALL[name]) <= VALUES | SEAMS | {room_of(name), "servers"}


@pytest.mark.parametrize("name", [name for name in ALL if room_of(name) in ROOMS])
def test_a_file_of_a_room_knows_one_library(name: str) -> None:
    used = {module.split(".")[0] for module in imported(ALL[name])} & LIBRARIES
    assert len(used) <= 1 or any(used <= family for family in FAMILIES), used


@pytest.mark.parametrize("name", [n for n in ALL if room_of(n) in VALUES | SEAMS | HEART])
def test_values_seams_and_heart_know_no_backend(name: str) -> None:
    used = {module.split(".")[0] for module in imported(ALL[name])} & LIBRARIES
    # planning names the version of the zone data that a plan was made with
    assert used <= ({"pytz"} if name == "planning" else set())


def test_only_the_edge_imports_the_command_line() -> None:
    for name, path in ALL.items():
        if room_of(name) not in ("cli", "__main__"):
            assert "cli" not in ours(path), name
