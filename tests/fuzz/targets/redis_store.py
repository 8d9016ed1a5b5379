"""Values that other programs wrote into a Redis store; needs the program redis-server."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis

from beatd.definition import codec
from beatd.stores.redis import RedisStore
from tests.fuzz.target import Call, Target
from tests.fuzz.targets.reading import fill
from tests.fuzz.targets.sql_store import read_all
from tests.run.servers import free_port
from tests.waiting import until

REOPENED_EACH = 100
WORDS = (
    "set", "cell", "sub", "member", "line", "gone", "kind", "rows", "entries", "tails", "applied", "claims", "requests", "plan", "open", "unsent", "asked",
    "history", "daemons", "names:cli", "sources", "runs", "outcomes", "running", "incidents", "changes", "pauses", "term", "version", "namespace", "hex",
)  # fmt: skip


def _seeds() -> Iterator[bytes]:
    values: list[Any] = [
        "",
        "x",
        "\t\t\t\t\t\t\t",
        -1,
        "9" * 30,
        "[]",
        "null",
        {"hex": "ff"},
        "1e5",
    ]
    for number in range(25):
        for place in range(3):
            value = values[(number + place) % len(values)]
            yield json.dumps([["set", number, place, value]]).encode()
        yield json.dumps([["cell", number, 0, number % 8, values[number % len(values)]]]).encode()
        yield json.dumps([["sub", number, 0, "bad", "good"], ["sub", number, 1, "1", "9"]]).encode()
        yield json.dumps([["member", number, "nobody", 0.5]]).encode()
        yield json.dumps([["line", number, {"n": "bad", "p": "x"}]]).encode()
        yield json.dumps([["gone", number, 0]]).encode()
        yield json.dumps([["kind", number]]).encode()


@contextmanager
def _opened(folder: Path) -> Iterator[Call]:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        with _on(port) as call:
            yield call
    finally:
        server.terminate()
        server.wait()


@contextmanager
def _on(port: int) -> Iterator[Call]:
    client = redis.Redis("127.0.0.1", port)
    until(client.ping, 5, "Redis does not answer", not_yet=(redis.ConnectionError,))
    url = f"redis://127.0.0.1:{port}/0"
    store = RedisStore(url, codec=codec, prefix="b")
    fill(store)
    keys = sorted(key for key in client.keys("*"))
    for key in keys:
        client.copy(key, b"kept:" + key, replace=True)
    count = 0

    def call(data: bytes) -> str:
        nonlocal count, store
        count += 1
        pipe = client.pipeline(transaction=False)
        for key in client.keys("b*"):
            pipe.delete(key)
        for key in keys:
            pipe.copy(b"kept:" + key, key, replace=True)
        pipe.execute()
        done = _damage(client, keys, data)
        if count % REOPENED_EACH == 0:
            store.close()
            store = RedisStore(url, codec=codec, prefix="b")
        store._reader.forget()
        return f"{done} {read_all(store)}"

    try:
        yield call
    finally:
        store.close()
        client.close()


def _damage(client: Any, keys: list[bytes], data: bytes) -> int:
    try:
        changes = json.loads(data)
    except (ValueError, RecursionError):
        return 0
    done = 0
    for change in changes[:20] if isinstance(changes, list) else []:
        with suppress(redis.ResponseError, redis.DataError, ValueError, TypeError, OverflowError, AttributeError, IndexError):  # fmt: skip
            _change(client, keys, *change)
            done += 1
    return done


def _change(client: Any, keys: list[bytes], how: str, place: Any, *rest: Any) -> None:
    if isinstance(place, str):
        key = next((k for k in keys if k.endswith(place.encode())), keys[0])
    else:
        key = keys[int(place) % len(keys)]
    kind = client.type(key)
    match how:
        case "kind":
            client.delete(key)
            client.set(key, "x")
        case "line":
            client.xadd(key, rest[0])
        case "member" if kind == b"zset":
            client.zadd(key, {_value(rest[0]): float(rest[1])})
        case "member" if kind == b"set":
            client.sadd(key, _value(rest[0]))
        case _ if kind == b"hash":
            field = sorted(client.hkeys(key))[int(rest[0]) % client.hlen(key)]
            if how == "gone":
                client.hdel(key, field)
                return
            client.hset(key, field, _changed(client.hget(key, field), how, *rest[1:]))
        case _ if kind == b"string" and how != "gone":
            client.set(key, _changed(client.get(key), how, *rest[1:]))
        case _:
            client.delete(key)


def _changed(old: bytes, how: str, *rest: Any) -> bytes:
    match how:
        case "cell":
            cells = old.split(b"\t")
            cells[int(rest[0]) % len(cells)] = _value(rest[1])
            return b"\t".join(cells)
        case "sub":
            return old.replace(_value(rest[0]), _value(rest[1]))
    return _value(rest[0])


def _value(plain: Any) -> bytes:
    if isinstance(plain, dict) and "hex" in plain:
        return bytes.fromhex(plain["hex"])
    text = plain if isinstance(plain, str) else json.dumps(plain)
    return text.encode(errors="surrogatepass")


TARGETS = (
    Target(
        name="redis", about="values of a Redis store that other programs wrote (needs redis-server)",
        seeds=_seeds, opened=_opened, words=WORDS, weight=200,
    ),
)  # fmt: skip
