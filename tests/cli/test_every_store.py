"""The same commands, whatever the store."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest

from beatd.config import load_config
from beatd.presence import Presence
from beatd.wiring.configured_store import configured_store
from tests.cli.conftest import Beatd, Here
from tests.fake_lease import holder

Server = Callable[[str], tuple[str, int]]


def sqlite(path: Path, server: Server) -> Iterator[str]:
    yield f'"sqlite:///{path}/s.db"'


def shelve(path: Path, server: Server) -> Iterator[str]:
    yield f'"shelve:{path}/shelf"'


def postgresql(path: Path, server: Server) -> Iterator[str]:
    host, port = server("postgresql")
    psycopg = pytest.importorskip("psycopg")
    schema = f"commands_{uuid4().hex}"
    with psycopg.connect(f"postgresql://postgres@{host}:{port}/test", autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {schema}")
        options = quote(f"-csearch_path={schema}")
        yield f'"postgresql://postgres@{host}:{port}/test?options={options}"'
        admin.execute(f"DROP SCHEMA {schema} CASCADE")


def mariadb(path: Path, server: Server) -> Iterator[str]:
    host, port = server("mariadb")
    pymysql = pytest.importorskip("pymysql")
    name = f"commands_{uuid4().hex}"
    with closing(pymysql.connect(host=host, port=port, user="root", autocommit=True)) as admin:
        admin.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        yield f'"mysql://root@{host}:{port}/{name}"'
        admin.query(f"DROP DATABASE {name}")


def redis(path: Path, server: Server) -> Iterator[str]:
    host, port = server("redis")
    prefix = f"commands-{uuid4().hex}:"
    yield f'{{url: "redis://{host}:{port}/0", prefix: "{prefix}"}}'
    with closing(pytest.importorskip("redis").Redis(host, port)) as client:
        keys = list(client.scan_iter(f"{prefix}*", count=10_000))
        if keys:
            client.delete(*keys)


STORES = (sqlite, shelve, postgresql, mariadb, redis)


@pytest.fixture(params=STORES, ids=lambda store: store.__name__)
def here(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    server: Server,
    beatd: Beatd,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Here]:
    monkeypatch.chdir(tmp_path)
    stores = request.param(tmp_path, server)
    found = Here(tmp_path, beatd)
    found.file(
        "config.yaml",
        f'broker: {{url: "memory://"}}\nstore: {next(stores)}\nschedules: [s/]\n',
    )
    yield found
    next(stores, None)


def test_a_day_of_an_operator(here: Here) -> None:
    here.file("s/a.yaml", "entries: {file: {task: proj.a, cron: '@daily'}}\n")
    assert here.json("apply")["added"] == ["file"]
    assert here.json("apply")["unchanged"] == 1
    row = here.json("add", "añadido 😀", "--task", "proj.b", "--every", "1s", "--args", "[1.0]")
    assert (row["args"], row["source"]) == ([1.0], "cli")
    assert "is there already" in here("add", "file", "--task", "x", "--every", "1h", code=1).line
    assert [row["name"] for row in here.json("list")] == ["añadido 😀", "file"]
    assert [row["name"] for row in here.json("list", "--due-within", "5s")] == ["añadido 😀"]
    assert [row["name"] for row in here.json("list", "--task", "*.a")] == ["file"]
    edited = here.json("edit", "añadido 😀", "--priority", "3", "--cron", "0 0 1 1 *")
    assert (edited["options"], edited["schedule"]) == ({"priority": 3}, {"cron": "0 0 1 1 *"})
    assert "s/a.yaml" in here("remove", "file", code=1).line
    here("pause", "file", "añadido 😀")
    assert {row["next"] for row in here.json("list", "--paused")} == {None}
    here("resume", "file")
    assert here("trigger", "file").out.strip()
    assert here.json("backfill", "file", "--from", "2026-01-01", "--to", "2026-01-03")["count"] == 3
    # A second may have gone by, with nobody who leads, before it was to run yearly.
    assert {record["reason"] for record in here.json("history")} <= {"edited"}
    here.file("out.yaml", here("export").out)
    assert here.json("apply", "out.yaml")["unchanged"] == 2
    found = here.json("status", code=1)
    assert (found["store"]["ok"], found["entries"], found["conflicts"]) == (True, 2, [])
    here("remove", "añadido 😀")
    here.file("s/a.yaml", "")
    assert here.json("apply", "--prune")["removed"] == ["file"]
    assert here.json("list") == []


def test_a_thousand_entries_are_applied_once(here: Here) -> None:
    lines = (f"  e{n}: {{task: t, every: {n + 1}s, args: [{n}]}}\n" for n in range(1000))
    here.file("s/a.yaml", "entries:\n" + "".join(lines))
    assert len(here.json("apply")["added"]) == 1000
    found = here.json("apply")
    assert (found["unchanged"], found["changed"]) == (1000, [])


def test_a_new_identity_takes_the_term_from_whoever_has_it(here: Here) -> None:
    config = load_config(str(here.folder / "config.yaml")).config
    with closing(configured_store(config, if_absent="create")) as store:
        me = holder("slept through it")
        store.announce(Presence(me, "leader", True, me.since), 60.0)
        assert "stop the daemons" in here("store", "new-identity", code=1).line
        store.leave(me)
        before = store.begin(me)
        fresh = here.json("store", "new-identity")["identity"]
        newest = store.term()
        assert newest is not None
        assert newest[0].number == before.number + 1
        store.begin(me)
        assert str(store.namespace) == fresh


def test_a_change_is_shown_and_undone(here: Here) -> None:
    here("add", "x", "--task", "t", "--every", "5m")
    here("edit", "x", "--every", "6m", "--note", "too often")
    here("pause", "x", "--until", "2099-01-01T00:00Z", "--note", "deploy")
    paused, edited, added = here.json("changes", "x")
    assert [one["action"] for one in (paused, edited, added)] == ["paused", "edited", "added"]
    assert edited["changed"] == {"every": {"before": "5m", "after": "6m"}}
    assert (edited["note"], paused["after"]["until"]) == ("too often", "2099-01-01T00:00:00Z")
    assert here.json("list")[0]["pause"]["note"] == "deploy"
    (shown,) = here.json("status", code=1)["paused"]["entries"]
    assert (shown["entry"], shown["until"]) == ("x", "2099-01-01T00:00:00Z")
    for one in (paused, edited):
        here("undo", one["id"])
        assert here.json("changes", "x")[0]["note"] == f"undo of {one['id']}"
    row = here.json("show", "x")
    assert (row["pause"], row["schedule"]) == (None, {"every": "5m"})
    assert len(here.json("changes", "--limit", "4")) == 4
