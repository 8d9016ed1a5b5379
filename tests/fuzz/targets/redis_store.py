"""Values that other programs wrote into a Redis store; needs the program redis-server."""

import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis

from beatd.definition import codec
from beatd.stores.redis import RedisStore
from tests.fuzz.target import Call, CallMany, Target
from tests.fuzz.targets.batches import OF_ENTRY, names_of, read_many
from tests.fuzz.targets.reading import NAMES, fill
from tests.fuzz.targets.redis_damage import (
    KINDS,
    OF_ENTRIES,
    WRONG,
    Edits,
    Part,
    Parts,
    changes_in,
    damages,
    edit,
    key_of,
    made,
    parts_of,
    write,
)
from tests.fuzz.targets.sql_store import read_all
from tests.waiting import until

BASE = "b{0}:"
KEPT_DB = 1  # the store as it was filled
REOPENED_EACH = 100
MANY = 40  # inputs in one store
READ_ALL_EACH = 20  # batches: one of so many reads all about each damaged entry
#: What is called for an entry whose part of a key was damaged; all of it if the key is not here.
_READ_BY = {
    **dict.fromkeys(("history", "tails", "claims", "open"), ("history", "page", "run")),
    **dict.fromkeys(("changes", "newest_changes"), ("changes",)),
    **dict.fromkeys(("incidents", "incident_of", "incidents_open", "incidents_opened"), ("incidents",)),
    **dict.fromkeys(("entries", "rows", "plan", "names:cli", "running", "running_of"), ("run",)),
    **dict.fromkeys(("asked", "asked_of", "requests", "pauses", "pauses_end"), ("run",)),
    **dict.fromkeys(("deliveries", "outcomes", "live", "reported"), ("outcome",)),
    "applied": ("mark",),
}  # fmt: skip
WORDS = ("set", "cell", "sub", "score", "member", "line", "gone", "kind", "hex", *KINDS)


@contextmanager
def _server(socket: Path) -> Iterator[redis.Redis]:
    command = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(socket.parent)]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    client = redis.Redis(unix_socket_path=str(socket))
    try:
        until(client.ping, 5, "Redis does not answer", not_yet=(redis.ConnectionError,))
        yield client
    finally:
        client.close()
        server.terminate()
        server.wait()


@contextmanager
def _renewed(socket: Path, client: Any) -> Iterator[Callable[[], RedisStore]]:
    # Yields a function that makes the store as it is now and returns it.
    keys = client.keys("*")
    for key in keys:
        client.copy(key, key, destination_db=KEPT_DB)
    restored = client.pipeline(transaction=False)
    count, store = 0, _store(socket)
    namespace = store.namespace

    def renew() -> RedisStore:
        nonlocal count, store
        count += 1
        client.flushdb()
        for command in (("SELECT", KEPT_DB), *(("COPY", key, key, "DB", 0) for key in keys), ("SELECT", 0)):  # fmt: skip
            restored.execute_command(*command)
        restored.execute()
        if count % REOPENED_EACH == 0 or store.losses() or store.namespace != namespace:
            store.close()
            store = _store(socket)
        store._reader.forget()
        return store

    try:
        yield renew
    finally:
        store.close()


def _store(socket: Path) -> RedisStore:
    return RedisStore(f"unix://{socket}", codec=codec, prefix="b")


@contextmanager
def _opened(folder: Path) -> Iterator[Call]:
    socket = folder / "one.sock"
    with _server(socket) as client:
        _fill(socket, NAMES)
        parts = parts_of(client, BASE)
        keys = sorted(parts)
        with _renewed(socket, client) as renew:

            def call(data: bytes) -> str:
                store = renew()
                edits, done = Edits(), 0
                for change in changes_in(data):
                    with suppress(*WRONG):
                        how, place, *rest = change
                        key = key_of(keys, place)
                        _edit(parts, edits, how, key, rest)
                        done += 1
                write(client, BASE, parts, edits)
                return f"{done} {read_all(store)}"

            yield call


def _fill(socket: Path, names: Sequence[str]) -> None:
    store = _store(socket)
    fill(store, names)
    store.close()


def _edit(parts: Parts, edits: Edits, how: str, key: str, rest: Sequence[Any]) -> None:
    # Adds one change to those that the input made before.
    part, before = parts[key], edits.get(key, {})
    now = {at: value for at, value in {**part.elements, **before}.items() if value is not None}
    edits[key] = {**before, **edit(Part(part.kind, now), how, *rest)}


@contextmanager
def _opened_many(folder: Path) -> Iterator[CallMany]:
    socket = folder / "many.sock"
    sets = [names_of(number) for number in range(MANY)]
    with _server(socket) as client:
        own, before = [], dict[str, Part]()
        for names in sets:
            client.delete(f"{BASE}term")  # each has term 1, as the store of a single input
            _fill(socket, names)
            parts = parts_of(client, BASE)
            own.append(_added(before, parts))
            before = parts
        keys, count = sorted(parts), 0
        with _renewed(socket, client) as renew:

            def call(inputs: Sequence[bytes]) -> Sequence[bytes]:
                nonlocal count
                count += 1
                store = renew()
                alone, edits = list[bytes](), Edits()
                damaged = defaultdict[str, set[str]](set)
                for place, data in enumerate(inputs):
                    found = _edited(parts, own[place], keys, sets[place], data)
                    if found is None:
                        alone.append(data)
                        continue
                    for key, some in found.items():
                        edits.setdefault(key, {}).update(some)
                        for name in _owners(own[place][key], some, sets[place]):
                            damaged[name].update(_READ_BY.get(key, OF_ENTRY))
                write(client, BASE, parts, edits)
                read_many(store, damaged, MANY, all_of_each=count % READ_ALL_EACH == 0)
                return alone

            yield call


def _added(before: Parts, after: Parts) -> dict[str, Part]:
    nothing = Part(b"", {})
    return {
        key: Part(part.kind, {at: value for at, value in part.elements.items() if at not in before.get(key, nothing).elements})
        for key, part in after.items()
        if key in OF_ENTRIES
    }  # fmt: skip


def _edited(
    parts: Parts, own: Parts, keys: Sequence[str], names: Sequence[str], data: bytes
) -> Edits | None:
    # None if the input has to be called alone: it changes what all entries share, or an element of
    # another input.
    named = dict(zip(NAMES, names, strict=True))
    edits = Edits()
    for change in changes_in(data):
        with suppress(*WRONG):
            how, place, *rest = change
            key = key_of(keys, place)
            if key not in own or how == "kind":
                return None
            if how != "sub":
                rest = [_named(value, named) for value in rest]
            _edit(own, edits, how, key, rest)
    for key, some in edits.items():
        if any(at in parts[key].elements and at not in own[key].elements for at in some):
            return None
    return edits


def _named(value: Any, named: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {field: _named(each, named) for field, each in value.items()}
    return named.get(value, value) if isinstance(value, str) else value


def _owners(part: Part, edits: Mapping[bytes, Any], names: Sequence[str]) -> set[str]:
    found = set[str]()
    for at, value in edits.items():
        text = f"{at!r} {part.elements.get(at)!r} {value!r}"
        found |= {name for name in names if name in text} or set(names)
    return found


TARGETS = (
    Target(
        name="redis", about="values of a Redis store that other programs wrote (needs redis-server)",
        seeds=damages, opened=_opened, words=WORDS, weight=200, made=made,
        opened_many=_opened_many, many=MANY,
    ),
)  # fmt: skip
