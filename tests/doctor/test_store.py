"""What is said about a store, on real servers, and that nothing is left behind."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pymysql
import pytest
from sqlalchemy import create_engine, inspect, make_url

from beatd import __version__
from beatd.clock import SystemClock
from beatd.config import Config, Store
from beatd.definition import codec
from beatd.doctor.finding import Finding
from beatd.doctor.store import clock_findings, daemons_in_store, lock_findings, store_findings
from beatd.leader import Holder
from beatd.presence import Presence
from beatd.stores.sql.tables import ledger
from beatd.wiring.backends import open_store
from tests.stores.redis.servers import Start

Server = Callable[[str], tuple[str, int]]


class SetClock(SystemClock):
    """The host's clock, set ahead."""

    def __init__(self, ahead_s: float) -> None:
        super().__init__()
        self._ahead = timedelta(seconds=ahead_s)

    def host_now(self) -> Any:
        return super().host_now() + self._ahead


def found(url: str, *, ahead_s: float = 0.0, folder: str = "/") -> list[Finding]:
    config = Config(store=Store(url=url), folder=folder)
    return list(store_findings(config, clock=SetClock(ahead_s), timeout_s=2.0))


def of_daemons(url: str) -> list[Finding]:
    config = Config(store=Store(url=url), folder="/")
    return list(daemons_in_store(config, clock=SystemClock(), timeout_s=2.0))


def texts(findings: list[Finding], level: str) -> list[str]:
    return [one.text for one in findings if one.level == level]


def opened(url: str) -> Any:
    return closing(open_store(url, codec=codec, clock=SystemClock()))


def tables(url: str) -> list[str]:
    driver = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
    place = make_url(url)
    engine = create_engine(place.set(drivername=driver.get(place.drivername, place.drivername)))
    try:
        return list(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_a_database_without_a_store_is_well_and_stays_empty(url: str) -> None:
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).touch()
    findings = found(url)
    assert texts(findings, "error") == []
    assert "; `beatd run` creates it" in findings[-1 if len(findings) == 1 else -2].text
    assert tables(url) == []


def test_a_store_that_is_used_is_well(url: str) -> None:
    with opened(url) as store:
        before = store.version
        findings = found(url)
        assert store.version == before
    assert texts(findings, "error") == []
    assert any("answers and takes writes" in one.text for one in findings)
    assert any(one.text.startswith("0 entries, opened in ") for one in findings)
    (of_no_daemon,) = of_daemons(url)
    assert of_no_daemon.text == "no daemon runs, so nothing is sent; run `beatd run`"


def test_an_older_schema_is_named_and_not_upgraded(url: str) -> None:
    with opened(url) as store:
        store._db.write(lambda connection: connection.execute(ledger.update().values(version=2)))
        (warning,) = [text for text in texts(found(url), "warning") if "version" in text]
        row = store._db.read(lambda connection: connection.execute(ledger.select()).one())
    assert warning == (
        "its tables have version 2, this beatd makes version 4; the next `beatd run` upgrades "
        "them, so back them up first"
    )
    assert row.version == 2


def test_a_host_whose_clock_is_off(postgresql_url: str) -> None:
    (warning,) = [one for one in found(postgresql_url, ahead_s=90) if one.subject == "clock"]
    assert warning.level == "warning"
    assert warning.text.startswith("this host is 90.0 s ahead of the store; up to 1 s is fine.")
    (well,) = [one for one in found(postgresql_url) if one.subject == "clock"]
    assert well.level == "ok"


def test_a_clock_that_is_slow_or_missing() -> None:
    (slow,) = clock_findings(-5.0)
    assert slow.text.startswith("this host is 5.0 s behind the store")
    assert list(clock_findings(None)) == []
    assert [one.level for one in (*clock_findings(0.99), *clock_findings(1.01))] == [
        "ok",
        "warning",
    ]


def test_a_postgresql_user_who_may_not_create_tables(server: Server) -> None:
    host, port = server("postgresql")
    name = f"test_{uuid4().hex}"
    with psycopg.connect(f"postgresql://postgres@{host}:{port}/test", autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {name}")
        admin.execute(f"CREATE ROLE {name} LOGIN")
        admin.execute(f"GRANT USAGE ON SCHEMA {name} TO {name}")
        try:
            path = quote(f"-csearch_path={name}")
            findings = found(f"postgresql://{name}@{host}:{port}/test?options={path}")
        finally:
            admin.execute(f"DROP SCHEMA {name} CASCADE")
            admin.execute(f"DROP ROLE {name}")
    (error,) = texts(findings, "error")
    assert error.startswith("refuses writes: ")
    assert error.endswith("this user may not work here; grant it the database's tables")


def test_a_mariadb_user_who_may_not_create_tables(server: Server) -> None:
    host, port = server("mariadb")
    name = database = f"u{uuid4().hex[:12]}"  # not "test_…", where everybody may do everything
    admin = pymysql.connect(host=host, port=port, user="root", autocommit=True)
    try:
        admin.query(f"CREATE DATABASE {database}")
        admin.query(f"CREATE USER {name}@localhost IDENTIFIED BY 'sesame'")
        admin.query(f"GRANT SELECT ON {database}.* TO {name}@localhost")
        findings = found(f"mysql://{name}:sesame@{host}:{port}/{database}")
    finally:
        admin.query(f"DROP DATABASE {database}")
        admin.query(f"DROP USER {name}@localhost")
        admin.close()
    (error,) = texts(findings, "error")
    assert error.startswith("refuses writes: ")
    assert "sesame" not in error


def test_a_server_that_is_not_there() -> None:
    config = Config(store=Store(url="postgresql://u:sesame@127.0.0.1:1/x"))
    from beatd.doctor.probing import findings_of

    probe = {"store": lambda: store_findings(config, clock=SystemClock(), timeout_s=2.0)}
    (error,) = findings_of(probe, 60)
    assert error.level == "error"
    assert error.text.startswith("127.0.0.1:1/x: ")
    assert "sesame" not in error.text


def test_a_redis_that_forgets_and_evicts(start: Start) -> None:
    server = start("--appendonly", "no", "--maxmemory-policy", "allkeys-lru")
    findings = found(server.url)
    assert texts(findings, "error") == []
    forgets, evicts = sorted(texts(findings, "warning"))
    assert forgets.startswith('a restart loses everything (appendonly no, save "")')
    assert evicts.startswith("maxmemory-policy allkeys-lru may evict")
    assert server.admin.keys() == []
    with opened(server.url):
        warnings = texts(found(server.url), "warning")
    assert len([text for text in warnings if "allkeys-lru" in text]) == 1


def test_a_redis_replica(start: Start) -> None:
    primary = start()
    replica = start("--replicaof", "127.0.0.1", str(primary.port))
    errors = texts(found(replica.url), "error")
    assert any(text.startswith("refuses writes: ") for text in errors)
    assert any(text.startswith("is a replica") for text in errors)


def test_a_redis_user_without_rights(start: Start) -> None:
    server = start()
    rights = ("+@read", "+@connection", "+info", "+time")
    server.admin.execute_command("ACL", "SETUSER", "reader", "on", ">sesame", "~*", *rights)
    findings = found(f"redis://reader:sesame@127.0.0.1:{server.port}/0")
    (error,) = texts(findings, "error")
    assert error.startswith("refuses writes: ")


def test_a_file_that_cannot_be_made_and_one_that_can(tmp_path: Path) -> None:
    (well,) = found(f"sqlite:///{tmp_path}/beatd.db", folder=str(tmp_path))
    assert well == Finding("ok", "store", "there is no store yet; `beatd run` creates it")
    (error,) = found(f"sqlite:///{tmp_path}/no/beatd.db", folder="/elsewhere")
    assert (error.level, error.text[:19]) == ("error", "cannot be created: ")
    assert list(tmp_path.iterdir()) == []


def test_a_shelf_and_memory(tmp_path: Path) -> None:
    url = f"shelve:{tmp_path}/shelf"
    with opened(url):
        findings = found(url)
    assert findings[0] == Finding("ok", "store", "the file can be read and written")
    (tmp_path / "old").write_text("a line of the first form\n")
    (old,) = found(f"shelve:{tmp_path}/old")
    assert old.text == (
        "the shelf has the form of an older beatd; the next `beatd run` converts it"
    )
    assert found("memory:")[0].level == "warning"


def test_daemons_that_differ(url: str) -> None:
    with opened(url) as store:
        now = SystemClock().now()
        old, new = (Holder(name, "h", 1, now, name) for name in ("old", "new"))
        store.begin(new)
        store.announce(Presence(new, "leader", True, now, version=__version__), 60)
        store.announce(
            Presence(old, "standby", False, now, clock_offset=-3.0, broker="it is away"), 60
        )
        findings = of_daemons(url)
    assert [(one.level, one.text) for one in findings] == [
        ("ok", "new leads, 1 standby"),
        (
            "warning",
            f"two versions of beatd at once: new {__version__}, old an older one; "
            "restart them after an upgrade",
        ),
        ("error", "old cannot use the broker: it is away"),
        ("warning", "old has a clock 3.0 s behind the store's; up to 1 s is fine"),
    ]


@pytest.mark.parametrize(
    ("version", "level", "text"),
    [
        (__version__, "ok", f"beatd {__version__} runs, as is installed here"),
        (
            "0.0.1",
            "warning",
            f"beatd 0.0.1 runs, and {__version__} is installed here; restart after an upgrade",
        ),
    ],
)
def test_the_version_of_the_daemons(tmp_path: Path, version: str, level: str, text: str) -> None:
    url = f"sqlite:///{tmp_path}/b.db"
    with opened(url) as store:
        now = SystemClock().now()
        for name in ("a", "b"):
            one = Presence(Holder(name, "h", 1, now, name), "standby", True, now, version=version)
            store.announce(one, 60)
        (finding,) = [one for one in of_daemons(url) if "beatd" in one.text]
    assert (finding.level, finding.text) == (level, text)


def test_daemons_that_need_a_reload(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/b.db"
    with opened(url) as store:
        now = SystemClock().now()
        for name in ("a", "b"):
            holder = Holder(name, "h", 1, now, name)
            one = Presence(holder, "standby", True, now, needs_reload=("http", "alerts"))
            store.announce(one, 60)
        (text,) = [one for one in texts(of_daemons(url), "warning") if "http" in one]
    assert text == (
        "a, b: http and alerts changed in its configuration file after it started; "
        "reload it (SIGHUP) or restart it to use the new settings"
    )


def test_what_two_daemons_say_is_one_line(url: str) -> None:
    with opened(url) as store:
        now = SystemClock().now()
        for number, name in enumerate(("a", "b")):
            holder = Holder(name, "h", number, now, name)
            problem = "invalid source: jobs.yaml:3: is not YAML"
            store.announce(
                Presence(holder, "standby", False, now, broker="refused.", problems=(problem,)), 60
            )
        lines = [one.text for one in of_daemons(url)]
    assert lines[-2:] == [
        "a, b cannot use the broker: refused.",
        "a, b: invalid source: jobs.yaml:3: is not YAML",
    ]


def test_a_lock_elsewhere(start: Start, tmp_path: Path) -> None:
    from msgspec.structs import replace

    from beatd.config import Lock

    server = start()
    config = Config(store=Store(url=f"sqlite:///{tmp_path}/b.db"), lock=Lock(url=server.url))
    clock = SystemClock()
    (lock,) = lock_findings(config, clock=clock, timeout_s=2.0)  # it need not be kept
    assert (lock.level, lock.subject) == ("ok", "lock")
    away = replace(config, lock=Lock(url="redis://127.0.0.1:1/0"))
    assert [one.level for one in lock_findings(away, clock=clock, timeout_s=2.0)] == ["error"]
    same = replace(config, lock=Lock(url=None))
    assert list(lock_findings(same, clock=clock, timeout_s=2.0)) == []
