"""Every kind of row, damaged in many ways: the others run, and the damage is named."""

import logging
import pickle
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from beatd.catalog import Change, Query
from beatd.marks import Mark
from beatd.presence import Presence
from beatd.store import Store
from tests.stores.making import (
    FOREVER,
    asked,
    at,
    claimed,
    entry,
    holder,
    lead,
    names,
    put,
    put_many,
    request_of,
    row,
    told,
)
from tests.stores.places import mariadb, opened, postgresql, redis, sqlite

DEEP = "[" * 5000 + "]" * 5000
TEXTS = [
    "", "garbage", "\t\t\t\t\t\t\t", "null", "[]", "{}", "5", "true", '"text"', "[[[",
    '{"task": 5}', '{"task": "t"}', '{"task": "t", "every": "never"}',
    '{"task": "t", "every": 1e308}', '{"task": "t", "cron": "99 * * * *"}',
    '{"task": "t", "every": "1s", "options": {"headers": 5}}',
    '{"task": "t", "every": "1s", "options": 5}', '{"task": "t", "every": "1s", "args": 5}',
    '{"task": "t", "every": "1s", "tz": "Mars/Phobos"}',
    '{"task": "t", "every": "1s", "args": ' + DEEP + "}",
    DEEP, "\u0001\u0002", "NaN", "1e999", "9" * 400, "-1", "\U0010ffff", "x" * 100_000,
]  # fmt: skip
BYTES = [b"\xff\xfe\xfd", b"\x00", b"\xc3", b"\t\xff\t\xff\t", pickle.dumps(object)]
NUMBERS = [-(2**62), -1, 0, 2**53, 2**62, 2**63 - 1]

Damage = Callable[[str], object]  # to what the store holds of the entry of that name
AT_ONCE = 12  # ways that one store is damaged in


def prepared(store: Store, damaged: list[str]) -> None:
    """Of the entries to be damaged and of others: plan, open claim, record, request, mark."""
    term = lead(store)
    put_many(store, damaged, -100)
    put_many(store, ["claimed", "good", "other"])
    put(store, "idle", None)
    for name in (*damaged, "claimed"):
        bad = name in damaged
        run = claimed(store, row(store, name), term, following=-50 if bad else 10)
        store.record([told(run)])
        claimed(store, row(store, name), term, following=-40 if bad else 20)
        store.write_mark(Mark(name, at(0), "digest"))
    store.add_requests([request_of(row(store, name)) for name in (*damaged, "claimed")])
    store.write_mark(Mark("good", at(0), "digest"))
    store.announce(Presence(holder("bad"), "standby", True, at(0)), 1000)


def check_that_the_others_run(store: Store, damaged: list[str]) -> None:
    term = lead(store)
    assert {"good", "other"} <= set(names(store.upcoming(100)))
    assert {"good", "other", "claimed", "idle"} <= set(names(store.find(Query())))
    assert {"good", "other"} <= set(names(store.find(Query(order="next"))))
    for query in (Query(source="cli"), Query(name_like="g*"), Query(due_before=FOREVER)):
        assert "good" in names(store.find(query))
    assert {"good", "other"} <= {one.name for one in store.plans_before(FOREVER, 1000)}
    waiting = [claim.occurrence.name for claim in store.unknowns(FOREVER, 100)]
    assert "claimed" in waiting
    requests = [request for request, _ in store.requests(100) if request.name == "claimed"]
    assert len(requests) == 1
    good = row(store, "good")
    run = claimed(store, good, term)
    store.record([told(run)])
    request = asked(store, requests[0], row(store, "claimed"))
    assert store.claim([request], term, at(3)) == [True]
    assert {"good", "claimed"} <= {record.name for record in store.history(None, None)}
    assert [record.state for record in store.history("good", None)] == ["published"]
    other = row(store, "other")
    assert store.write([Change("other", other.revision, entry("other", args=[1]))]) == [True]
    put_many(store, ["new-1", "new-2"])
    new = row(store, "new-1")
    assert store.write([Change("new-1", new.revision, None)]) == [True]
    for bad in damaged:
        list(store.find(Query(names=(bad,))))
        list(store.history(bad, None))
        store.read_mark(bad)
    store.write_mark(Mark("good", at(1), "another"))
    store.announce(Presence(holder("me"), "leader", True, at(0)), 1000)
    assert "me" in [presence.holder.name for presence in store.daemons()]
    assert store.version() and store.count() >= 5
    store.forget(at(-1000), 1_000_000)


# how each store is damaged


def of_redis(store: Any) -> Iterator[tuple[str, Damage]]:
    base, client = store._scripts.base, store._server.client

    def claim_of(name: str) -> bytes:
        return next(k for k in client.hkeys(base + "claims") if k.endswith(f":{name}".encode()))

    def request_of(name: str) -> bytes:
        ending = f"\t{name}".encode()
        return next(i for i, v in client.hgetall(base + "requests").items() if v.endswith(ending))

    fields: dict[str, Callable[[str], Any]] = {
        "rows": str, "entries": str, "tails": str, "applied": str,
        "claims": claim_of, "requests": request_of,
    }  # fmt: skip
    for key, field in fields.items():
        for value in [text.encode() for text in TEXTS] + BYTES:
            yield (
                f"{key} {value[:30]!r}",
                lambda name, key=key, field=field, value=value: client.hset(
                    base + key, field(name), value
                ),
            )
        yield (
            f"{key}, gone",
            lambda name, key=key, field=field: client.hdel(base + key, field(name)),
        )
    for place in range(8):
        for value in (b"", b"x", b"-1", b"9" * 30, b"\xff", b"1e5", b"1.5"):

            def change(name: str, place: int = place, value: bytes = value) -> None:
                cells = client.hget(base + "rows", name).split(b"\t")
                cells[place] = value
                client.hset(base + "rows", name, b"\t".join(cells))

            yield f"rows, field {place} {value!r}", change
    for value in (b"\xff\xfe", b"", b"nobody", b"a:b", "☃".encode()):
        for key in ("plan", "open", "unsent", "asked", "names:cli"):
            score = 0 if key == "names:cli" else -1.0
            yield (
                f"{key}, a member {value!r}",
                lambda _, key=key, value=value, score=score: client.zadd(
                    base + key, {value: score}
                ),
            )
        yield (
            f"sources, a member {value!r}",
            lambda _, value=value: client.sadd(base + "sources", value),
        )
    for value in (b"", b"garbage", b"\xff", b"99999999999999999\t{}", b"99999999999999999\t"):
        yield f"daemons {value!r}", lambda _, value=value: client.hset(base + "daemons", "t", value)
    for score in ("inf", "-inf", 2.0**60, 0.5):
        yield (
            f"plan, a score of {score}",
            lambda name, score=score: client.zadd(base + "plan", {name: score}),
        )
    for line in (
        {"x": "y"},
        {"n": "bad"},
        {"n": b"\xff", "p": "", "o": "", "s": "Z", "t": "", "b": ""},
    ):
        yield f"history {line}", lambda _, line=line: client.xadd(base + "history", line)


def of_sql(execute: Callable[..., None]) -> Iterator[tuple[str, Damage]]:
    """`?` marks a value in a statement, and `"` quotes the name of a column."""

    def update(table: str, column: str, value: object) -> Damage:
        statement = f'UPDATE beatd_{table} SET "{column}" = ? WHERE name = ?'
        return lambda name: execute(statement, value, name)

    def of_claim(column: str, value: object) -> Damage:
        statement = f'UPDATE beatd_claim SET "{column}" = ? WHERE runs LIKE ?'
        return lambda name: execute(statement, value, f'%"{name}"%')

    for value in TEXTS:
        shown = repr(value[:30])
        yield f"entry.definition {shown}", update("entry", "definition", value)
        yield f"claim.runs {shown}", of_claim("runs", value)
        yield (
            f"daemon.presence {shown}",
            lambda _, value=value: execute("UPDATE beatd_daemon SET presence = ?", value),
        )
    for value in ("", "x" * 200, "\u0001", "app:☃"):
        yield f"entry.source {value[:30]!r}", update("entry", "source", value)
        yield f"plan.rules {value[:30]!r}", update("plan", "rules", value[:60])
    columns = {
        "plan": ("planned", "due", "runs", "last", "revision"),
        "history": ("planned", "at", "published", "until", "count", "term"),
        "request": ("first_at", "last_at", "revision"),
    }
    for number in NUMBERS:
        for table, its in columns.items():
            for column in its:
                yield f"{table}.{column} {number}", update(table, column, number)
        yield f"claim.claimed_at {number}", of_claim("claimed_at", number)
        yield (
            f"applied.loaded_at {number}",
            lambda name, number=number: execute(
                "UPDATE beatd_applied SET loaded_at = ? WHERE source = ?", number, name
            ),
        )
    for value in ("", "garbage", "planned"):
        yield f"history.state {value!r}", update("history", "state", value)
        yield f"request.kind {value!r}", update("request", "kind", value)
    for table in ("entry", "plan", "request", "history"):
        yield (
            f"{table}, gone",
            lambda name, table=table: execute(f"DELETE FROM beatd_{table} WHERE name = ?", name),
        )


def executing(url: Any) -> Callable[..., None]:
    """Runs a statement on a connection that is not the store's."""

    def on_sqlite(statement: str, *values: object) -> None:
        with closing(sqlite3.connect(url.database)) as file, file:
            file.execute(statement, values)

    def on_postgresql(statement: str, *values: object) -> None:
        place = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute(statement.replace("?", "%s"), values)  # type: ignore[arg-type]

    def on_mysql(statement: str, *values: object) -> None:
        with closing(
            pymysql.connect(
                host=url.host, port=url.port, user=url.username, database=url.database,
                autocommit=True, charset="utf8mb4",
            )
        ) as connection, connection.cursor() as cursor:  # fmt: skip
            cursor.execute(statement.replace("?", "%s").replace('"', "`"), values)

    kinds = {"sqlite": on_sqlite, "postgresql": on_postgresql, "mysql": on_mysql}
    return kinds[url.drivername.split("+")[0]]


def ways_of(store: Any) -> list[tuple[str, Damage]]:
    if type(store).__name__ == "RedisStore":
        return list(of_redis(store))
    return list(of_sql(executing(store._db.engine.url)))


def emptied(store: Any) -> None:
    if type(store).__name__ == "RedisStore":
        base, client = store._scripts.base, store._server.client
        gone = [k for k in client.scan_iter(f"{base}*") if not k.endswith(b"namespace")]
        if gone:
            client.delete(*gone)
    else:
        with store._db.engine.begin() as connection:
            for table in ("entry", "plan", "claim", "history", "request", "applied", "daemon"):
                connection.exec_driver_sql(f"DELETE FROM beatd_{table}")
    store._reader.forget()


def trouble_with(place: Callable[[], Any], store: Any, ways: list[tuple[str, Damage]]) -> str:
    """What goes wrong when a store is damaged in all of these ways at once; or nothing."""
    emptied(store)
    damaged = [f"bad-{number}" for number in range(len(ways))]
    prepared(store, damaged)
    for name, (_, damage) in zip(damaged, ways, strict=True):
        damage(name)
    again = place()
    try:
        check_that_the_others_run(again, damaged)
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        again.close()
    return ""


@pytest.fixture(params=[sqlite, postgresql, mariadb, redis], ids=lambda place: place.__name__)
def place(request: pytest.FixtureRequest, tmp_path: Path, server: Any) -> Iterator[Any]:
    """Memory cannot be damaged from outside, and the shelf has tests of its own."""
    with opened(request.param, tmp_path, server) as open_one:
        yield open_one


def test_whatever_row_is_damaged_the_others_run(place: Callable[[], Any]) -> None:
    store = place()
    ways = ways_of(store)
    assert len(ways) >= 100
    failed = []
    for first in range(0, len(ways), AT_ONCE):
        some = ways[first : first + AT_ONCE]
        if trouble_with(place, store, some):
            alone = [(name, trouble_with(place, store, [(name, way)])) for name, way in some]
            failed += [f"{name}: {trouble}" for name, trouble in alone if trouble] or [
                f"only together: {[name for name, _ in some]}"
            ]
    assert not failed, f"{len(failed)} of {len(ways)}:\n" + "\n".join(failed)


def test_a_damaged_entry_is_named_by_the_log_and_by_check(
    place: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    store = place()
    prepared(store, ["bad-0"])
    ways = dict(ways_of(store))
    kind = "entries" if type(store).__name__ == "RedisStore" else "entry.definition"
    garbage = next(way for name, way in ways.items() if name.startswith(kind) and "garbage" in name)
    garbage("bad-0")
    again = place()
    with caplog.at_level(logging.ERROR):
        assert "bad-0" not in names(again.upcoming(100))
    assert any("bad-0" in line for line in again.problems())
    again.close()
