"""Commands that only read or edit create no store, and say what does."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pymysql
import pytest
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import make_url

from tests.cli.conftest import Beatd, Here
from tests.databases import mariadb_url, postgresql_url

__all__ = ["mariadb_url", "postgresql_url"]

CREATES = "`beatd run`, `beatd add`, `beatd apply` or `beatd import` creates it"
COMMANDS = [
    ("list",), ("show", "x"), ("edit", "x", "--every", "5m"), ("remove", "x"), ("pause", "x"),
    ("resume", "x"), ("trigger", "x"), ("history",), ("incidents",), ("why", "x"), ("export",),
    ("backfill", "x", "--from", "2026-01-01", "--to", "2026-01-02"), ("store", "new-identity"),
    ("store", "reopen"),
]  # fmt: skip
FILES = {"sqlite": "sqlite:///nosuch.db", "shelve": "shelve:nosuch.db"}
SERVERS = ["postgresql", "mariadb"]
ENTRY = ("--task", "proj.x", "--every", "5m")


def url_of(kind: str, request: pytest.FixtureRequest) -> str:
    found: str = FILES.get(kind) or request.getfixturevalue(f"{kind}_url")
    return found


def tables_at(url: str) -> list[str]:
    drivers = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
    parsed = make_url(url)
    engine = create_engine(parsed.set(drivername=drivers[parsed.drivername]))
    try:
        return inspect(engine).get_table_names()
    finally:
        engine.dispose()


def is_absent(url: str) -> bool:
    return not Path("nosuch.db").exists() if "nosuch" in url else tables_at(url) == []


@pytest.fixture(params=[*FILES, *SERVERS])
def absent(request: pytest.FixtureRequest, here: Here) -> str:
    """The URL of a store that nothing has created."""
    return url_of(request.param, request)


def test_a_command_that_only_reads_or_edits_creates_no_store(beatd: Beatd, absent: str) -> None:
    for words in COMMANDS:
        ended = beatd(*words, "--store", absent)
        assert (ended.code, CREATES in ended.line) == (1, True), (words, ended.err)
    ended = beatd("status", "--store", absent)
    assert ended.code == 1 and "creates it" in " ".join(ended.out.split())
    assert is_absent(absent)


def test_the_first_entry_creates_the_store(beatd: Beatd, absent: str) -> None:
    ended = beatd("add", "x", *ENTRY, "--store", absent)
    assert ended.code == 0, ended.err
    assert "x" in beatd("list", "--store", absent).out


def test_the_source_of_a_copy_is_not_created_and_neither_is_its_target(
    beatd: Beatd, absent: str
) -> None:
    ended = beatd("store", "copy", absent, "sqlite:///new.db")
    assert ended.code and ended.line
    assert is_absent(absent) and not Path("new.db").exists()


def test_the_target_of_a_copy_is_created(beatd: Beatd, absent: str) -> None:
    beatd("add", "x", *ENTRY, "--store", "sqlite:///old.db")
    ended = beatd("store", "copy", "sqlite:///old.db", absent)
    assert ended.code == 0, ended.err
    assert "x" in beatd("list", "--store", absent).out


@pytest.mark.parametrize("content", ["", "CREATE TABLE users (id INTEGER)"])
def test_a_database_of_another_program_stays_as_it_is(
    beatd: Beatd, here: Here, content: str
) -> None:
    with closing(sqlite3.connect("other.db")) as other:
        other.executescript(content)
    Path("other.db").touch()
    before = Path("other.db").read_bytes()
    ended = beatd("list", "--store", "sqlite:///other.db")
    assert (ended.code, CREATES in ended.line) == (1, True)
    assert Path("other.db").read_bytes() == before
    assert [path.name for path in Path().glob("other.db*")] == ["other.db"]


def test_the_tables_of_another_program_do_not_make_a_store(beatd: Beatd, mariadb_url: str) -> None:
    parsed = make_url(mariadb_url)
    assert parsed.host and parsed.port and parsed.username
    with closing(
        pymysql.connect(
            host=parsed.host, port=parsed.port, user=parsed.username, database=parsed.database
        )
    ) as other:
        other.query("CREATE TABLE users (id INTEGER)")
    ended = beatd("list", "--store", mariadb_url)
    assert (ended.code, CREATES in ended.line) == (1, True)
    assert tables_at(mariadb_url) == ["users"]


def test_a_dry_run_compares_with_an_empty_store_and_creates_none(here: Here) -> None:
    here.config("entries: {tidy: {task: proj.tidy, every: 1h}}\n")
    assert "1 added" in here("apply", "--dry-run").out
    here.file("tab", "0 5 * * * /bin/true\n")
    assert "1 would be imported" in here("import", "crontab:tab", "--task", "t", "--dry-run").out
    assert not Path("beatd.db").exists()


def test_the_next_run_of_a_declared_entry_needs_no_store(here: Here) -> None:
    here.config("entries: {tidy: {task: proj.tidy, every: 1h}}\n")
    assert here("next", "tidy").out
    assert "no entry is called 'tidyy'; did you mean tidy?" in here("next", "tidyy", code=1).err
    assert not Path("beatd.db").exists()


def test_a_command_makes_no_folder_for_a_store_that_is_not_there(here: Here) -> None:
    here.config("").write_text("broker: {url: 'memory://'}\nstore: {url: 'sqlite:///of/it/a.db'}\n")
    assert "there is no such file yet" in here("list", code=1).line
    assert not Path("of").exists()
    here("add", "x", *ENTRY)
    assert Path("of/it/a.db").exists()
