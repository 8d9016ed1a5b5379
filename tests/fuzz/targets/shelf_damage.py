"""Changes of the rows of a shelf, as an input lists them."""

import json
import pickle
import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from beatd.stores.embedded.shelf_layout import CHECKSUM_BYTES, plain
from tests.fuzz.mutate import NUMBERS, STRANGE, VALUES

#: Beginnings of the keys of which each entry has its own, and of those that all entries share.
OF_ENTRIES = ("entry", "plan", "request", "claim", "record", "running", "outcome", "delivery", "incident", "edit", "mark")  # fmt: skip
SHARED = ("identity", "version", "term", "next-edit", "changes", "changed", "daemons", "format")
HOW = ("bytes", "cut", "json", "pickle", "gone", "sub", "member", "node", "part", "key")
_FILE_BYTES = 50_000
_TEXTS = ("", "x", "bad", "good", "idle", "-1", "0", "1", "9" * 30, "2026-03-01T12:00:00Z", "2026-03-01T12:00:00", "0001-01-01T00:00:00+14:00", "running", "started")  # fmt: skip
_NUMBERS = (-1, 0, 1, 2, 100, 2**31, 2**63, -(2**63), 1.5, 1e308, -1e300)
_PARTS = ("bad", "good", "1", "0", "2026", "-", ":", "Z", "T", "10s", "every", "task", "cli", "failed", "published", "trigger", "name", "planned", "E: x", "d", "host")  # fmt: skip
_PICKLED = (
    "", "80", "80049500", "80045d942e", "4e2e", "80048f942e",
    *(pickle.dumps(one).hex() for one in (b"\xff", {1, 2}, 2**300, float("nan"), (1, "a"), {1: 2}, {"name": "bad"}, Path("x"), [[[]]], "x" * 300)),
    "28" * 3000 + "2e", "5d" * 2000 + "61" * 1999 + "2e",
)  # fmt: skip
_KEYS = ("", "entry", "entry:", "plan:", "record:x", "record:-1", "claim:", "claim:x:y", "edit:", "mark:", "delivery:", "incident:a:b", "request:", "unknown:x", "running:nobody", "outcome:nobody")  # fmt: skip
#: Raised by changes that nobody can carry out.
WRONG = (sqlite3.Error, ValueError, TypeError, OverflowError, AttributeError, KeyError, IndexError, StopIteration, ZeroDivisionError, RecursionError, pickle.PickleError)  # fmt: skip

Rows = Mapping[bytes, bytes]
Edits = dict[bytes, bytes | None]  # new values by key; None: the row is deleted


def damages() -> Iterator[bytes]:
    for place in (0, 16, 18, 28, 60, 100, 1000, 4096, 4100, 8192, 9000):
        yield json.dumps([["bytes", place, "00"], ["bytes", place + 1, "ffff"]]).encode()
    yield b'[["cut", 0]]'
    yield b'[["cut", 5000]]'
    for prefix in ("identity", "version", "term", "next-edit", *OF_ENTRIES):
        yield json.dumps([["json", prefix, {"planned": 1}]]).encode()
        yield json.dumps([["json", prefix, [1, "a", None]]]).encode()
        yield json.dumps([["pickle", prefix, "80049500"]]).encode()
        yield json.dumps([["sub", prefix, "bad", "good"], ["sub", prefix, "2026", "9999"]]).encode()
        yield json.dumps([["member", prefix, "planned", "x"], ["member", prefix, "revision", -1]]).encode()  # fmt: skip
        yield json.dumps([["node", prefix, 3, None], ["part", prefix, 4, "2026", "0001"]]).encode()
        yield json.dumps([["gone", prefix]]).encode()
        yield json.dumps([["key", prefix, "entry:"]]).encode()
    for prefix, member in (("identity", "namespace"), ("version", "number"), ("term", "number"), ("term", "holder"), ("plan", "planned"), ("claim", "claimed_at")):  # fmt: skip
        for value in ("x", -1, 2**70, None, []):
            yield json.dumps([["member", prefix, member, value]]).encode()


def made(rng: random.Random) -> bytes:
    """Return an input of one to three changes, nearly all of which find their row or byte."""
    if rng.random() < 0.05:  # needs a file of its own
        return json.dumps([_of_file(rng) for _ in range(rng.choice((1, 1, 2, 5)))]).encode()
    prefixes = SHARED if rng.random() < 0.02 else OF_ENTRIES
    changes = rng.choice((1, 1, 1, 2, 3))
    return json.dumps([_of_row(rng, rng.choice(prefixes)) for _ in range(changes)]).encode()


def _of_file(rng: random.Random) -> list[Any]:
    place = rng.choice((rng.randrange(100), 4096 * rng.randrange(12) + rng.randrange(16), rng.randrange(_FILE_BYTES)))  # fmt: skip
    if rng.random() < 0.15:
        return ["cut", place]
    return ["bytes", place, rng.randbytes(rng.choice((1, 1, 2, 4, 30))).hex()]


def _of_row(rng: random.Random, prefix: str) -> list[Any]:
    where = [prefix, rng.randrange(4)]
    node = rng.randrange(24)
    fresh = rng.choice([rng.choice(some) for some in (_TEXTS, _NUMBERS, STRANGE, NUMBERS, VALUES)])
    match rng.choices(HOW[2:], (6, 8, 4, 8, 4, 45, 20, 5))[0]:
        case "json":
            return ["json", where, fresh]
        case "pickle":
            return ["pickle", where, rng.choice(_PICKLED)]
        case "gone":
            return ["gone", where]
        case "sub":
            return ["sub", where, rng.choice(_PARTS), str(fresh)]
        case "member":
            return ["member", where, rng.choice((*_PARTS, "number", "x")), fresh]
        case "node":
            return ["node", where, node, fresh]
        case "part":
            return ["part", where, node, rng.choice(_PARTS), str(fresh)]
    return ["key", where, rng.choice((*_KEYS, *STRANGE))]


def changes_in(data: bytes) -> Sequence[Any]:
    try:
        changes = json.loads(data)
    except (ValueError, RecursionError):
        return ()
    return changes[:20] if isinstance(changes, list) else ()


def change_file(path: Path, how: str, where: Any, *rest: Any) -> None:
    with path.open("r+b") as file:
        place = file.seek(int(where) % path.stat().st_size)
        if how == "cut":
            file.truncate(place)
        else:
            file.write(bytes.fromhex(rest[0]))


def edit(rows: Rows, how: str, where: Any, *rest: Any) -> Edits:
    """Return what one change makes of the rows.

    `where` is the beginning of a key, or this and a place among the rows whose keys begin so.
    """
    prefix, place = where if isinstance(where, list) else (where, 0)
    begins = str(prefix).encode()
    found = [key for key in rows if bytes(key).startswith(begins)]
    key = found[int(place) % len(found)]
    if how == "gone":
        return {key: None}
    if how == "key":
        return {key: None, str(rest[0]).encode(errors="surrogatepass"): rows[key]}
    return {key: _fresh(rows[key], how, *rest)}


def _fresh(value: bytes, how: str, *rest: Any) -> bytes:
    match how:
        case "json":
            return pickle.dumps(rest[0])
        case "pickle":
            return bytes.fromhex(rest[0])
        case "member":
            found = plain(value)
            found[rest[0]] = rest[1]
            return pickle.dumps(found)
        case "node" | "part":
            return pickle.dumps(_with_node(plain(value), how, *rest))
    old, new = str(rest[0]).encode(), str(rest[1]).encode(errors="surrogatepass")
    value = value[:-CHECKSUM_BYTES]  # else only the checksum would be looked at
    return value.replace(old, new[: len(old)].ljust(len(old)))


def _with_node(found: Any, how: str, number: int, *rest: Any) -> Any:
    # Changes one of the values inside a value. "part" changes a part of a text.
    nodes = list(_nodes(found))
    inside, at = nodes[int(number) % len(nodes)]
    old = inside[at]
    inside[at] = str(old).replace(str(rest[0]), str(rest[1])) if how == "part" else rest[0]
    return found


def _nodes(found: Any) -> Iterator[tuple[Any, Any]]:
    inner = found.items() if isinstance(found, dict) else enumerate(found)
    for at, value in inner:
        yield found, at
        if isinstance(value, dict | list) and value:
            yield from _nodes(value)
