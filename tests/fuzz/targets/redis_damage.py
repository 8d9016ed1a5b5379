"""Changes of the keys of a Redis store, as an input lists them."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import redis
from msgspec import Struct

from tests.fuzz.mutate import NUMBERS, STRANGE, VALUES

#: Keys of which all entries have a part, and the kind of each.
OF_ENTRIES = {
    **dict.fromkeys(("applied", "claims", "deliveries", "entries", "incident_of", "incidents", "newest_changes"), "hash"),
    **dict.fromkeys(("outcomes", "pauses", "requests", "rows", "running", "running_of", "tails"), "hash"),
    **dict.fromkeys(("asked", "asked_of", "incidents_open", "incidents_opened", "live", "names:cli", "open"), "zset"),
    **dict.fromkeys(("pauses_end", "plan", "reported"), "zset"),
    **dict.fromkeys(("changes", "history"), "stream"),
}  # fmt: skip
#: Keys that all entries share.
SHARED = {"daemons": "hash", "term": "hash", "sources": "set", **dict.fromkeys(("asked_last", "namespace", "version"), "string")}  # fmt: skip
KINDS = {**OF_ENTRIES, **SHARED}
_FIELDS = {"history": "npostbw", "changes": "nptawbc"}
_TEXTS = ("", "x", "\t" * 7, -1, "9" * 30, "[]", "null", "1e5", "bad", "good", {"hex": "ff"}, {"hex": "00"}, [], {}, "[" * 2000, "x" * 300)  # fmt: skip
_PARTS = (
    *("bad", "good", "1", "0", "2", "17", "2026", "-", ":", "\t", ",", "{", "}", "[", "]", '"', "T", "Z", "10s", "every", "task", "cli", "null", "e\t"),
    *("started", "failed", "trigger", "mark", "digest", "edited", "ann", "because", "E: x", "d", "P", "host", "42", '["', '"]', "name", "opened", "kind"),
)  # fmt: skip
#: Keys with much to read in each element. The others are mostly lists of names and ids.
_RICH = ("rows", "claims", "entries", "running", "outcomes", "deliveries", "incidents", "requests", "changes", "history", "history", "history")  # fmt: skip
_SHORT = ("", "-1", "0", "2", "100", "x", -(2**62), 1.5)
_SCORES = (0, -1, 0.5, 1e15, -1e15, 2**53 + 1, 1e308, "inf", "-inf", 1772366350000000, 4e15)
#: Raised by changes that nobody can carry out.
WRONG = (ValueError, TypeError, OverflowError, AttributeError, IndexError, KeyError, ZeroDivisionError, redis.RedisError)  # fmt: skip
WHOLE = b"\0whole"  # stands for a key itself among its elements


def damages() -> Iterator[bytes]:
    for number, key in enumerate(KINDS):
        value = _TEXTS[number % len(_TEXTS)]
        for place in range(2):
            fresh = _TEXTS[(number + place) % len(_TEXTS)]
            yield json.dumps([["set", key, place, fresh]]).encode()
        yield json.dumps([["cell", key, 0, number % 8, value]]).encode()
        yield json.dumps([["sub", key, 0, "bad", "good"], ["sub", key, 1, "1", "9"]]).encode()
        if KINDS[key] == "zset":
            yield json.dumps([["score", key, 0, _SCORES[number % len(_SCORES)]]]).encode()
        if KINDS[key] in ("zset", "set"):
            yield json.dumps([["member", key, "nobody", 0.5]]).encode()
        if KINDS[key] == "stream":
            yield json.dumps([["line", key, {"n": "bad", "p": "x"}]]).encode()
            for field in _FIELDS[key]:
                yield json.dumps([["set", key, 0, value, field]]).encode()
        yield json.dumps([["gone", key, 0]]).encode()
        yield json.dumps([["kind", key]]).encode()


def made(rng: random.Random) -> bytes:
    """Return an input of one to three changes, nearly all of which find their element."""
    return json.dumps([_made(rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))]).encode()


def _made(rng: random.Random) -> list[Any]:
    if rng.random() < 0.01:  # called alone, which takes longer
        key = rng.choice(list(KINDS))
        if rng.random() < 0.2:
            return ["kind", key]
    else:
        key = rng.choice(_RICH if rng.random() < 0.6 else list(OF_ENTRIES))
    place, kind = rng.randrange(2 if rng.random() < 0.9 else 4), KINDS[key]
    if rng.random() < 0.04:
        return ["gone", key, place]
    fresh = rng.choice((rng.choice(_SHORT), rng.choice(_TEXTS), rng.choice(STRANGE), rng.choice(NUMBERS), rng.choice(VALUES)))  # fmt: skip
    if kind == "zset" and rng.random() < 0.4:
        return ["score", key, place, rng.choice(_SCORES)]
    if kind in ("zset", "set") and rng.random() < 0.15:
        return ["member", key, fresh, rng.choice(_SCORES)]
    field = [rng.choice(("b", rng.choice(_FIELDS[key])))] if kind == "stream" else []
    if field and rng.random() < 0.1:
        return [
            "line",
            key,
            {each: rng.choice(_PARTS) for each in _FIELDS[key][: rng.randrange(8)]},
        ]
    match rng.choices(("set", "cell", "sub"), (20, 30, 50))[0]:
        case "set":
            return ["set", key, place, fresh, *field]
        case "cell":
            return ["cell", key, place, rng.randrange(8), fresh, *field]
    return ["sub", key, place, rng.choice(_PARTS), fresh, *field]


class Part(Struct):
    """A key of the store, or what belongs to some of its entries.

    `elements` are the fields of a hash, the members of a set with their scores, the lines of a
    stream by id, or a text under b"".
    """

    kind: bytes
    elements: dict[bytes, Any]


Parts = Mapping[str, Part]
Edits = dict[str, dict[bytes, Any]]  # new values of elements by key; None: it is deleted


def parts_of(client: Any, base: str) -> dict[str, Part]:
    """Return all keys of a store but the answers that its scripts keep for a second call."""
    found = {}
    for key in sorted(client.keys(f"{base}*")):
        name = key.decode().removeprefix(base)
        if not name.startswith("answer:"):
            kind = client.type(key)
            found[name] = Part(kind, _elements(client, key, kind))
    return found


def _elements(client: Any, key: bytes, kind: bytes) -> dict[bytes, Any]:
    match kind:
        case b"hash":
            return dict(client.hgetall(key))
        case b"zset":
            return dict(client.zrange(key, 0, -1, withscores=True))
        case b"set":
            return dict.fromkeys(client.smembers(key), 1.0)
        case b"stream":
            return dict(client.xrange(key))
    return {b"": client.get(key)}


def changes_in(data: bytes) -> Sequence[Any]:
    try:
        changes = json.loads(data)
    except (ValueError, RecursionError):
        return ()
    return changes[:20] if isinstance(changes, list) else ()


def key_of(keys: Sequence[str], place: Any) -> str:
    if isinstance(place, str):
        return place if place in keys else next((k for k in keys if k.endswith(place)), keys[0])
    return keys[int(place) % len(keys)]


def edit(part: Part, how: str, *rest: Any) -> dict[bytes, Any]:
    """Return what one change makes of the elements of a key."""
    if how == "kind":
        return {WHOLE: b"x"}
    if how == "line":
        fields = {_value(field): _value(value) for field, value in rest[0].items()}
        place = b"new %d %s" % (len(part.elements), min(part.elements, default=b""))
        return {place: fields} if part.kind == b"stream" else {}
    if how == "member":
        return {_value(rest[0]): float(rest[1])} if part.kind in (b"zset", b"set") else {}
    at = sorted(part.elements)[int(rest[0]) % len(part.elements)]
    old = part.elements[at]
    if how == "gone":
        return {at: None}
    if how == "score":
        return {at: float(rest[1])} if part.kind == b"zset" else {}
    if part.kind in (b"zset", b"set"):
        return {at: None, _changed(at, how, *rest[1:]): old}
    if part.kind == b"stream":
        field = _value(rest[-1])
        return {at: {**old, field: _changed(old.get(field, b""), how, *rest[1:-1])}}
    return {at: _changed(old, how, *rest[1:])}


def _changed(old: bytes, how: str, *rest: Any) -> bytes:
    match how:
        case "cell":
            cells = old.split(b"\t")
            cells[int(rest[0]) % len(cells)] = _value(rest[1])
            return b"\t".join(cells)
        case "sub":
            return old.replace(_value(rest[0]), _value(rest[1]))[:20_000]
    return _value(rest[0])


def _value(plain: Any) -> bytes:
    if isinstance(plain, dict) and "hex" in plain:
        return bytes.fromhex(plain["hex"])
    text = plain if isinstance(plain, str) else json.dumps(plain)
    return text.encode(errors="surrogatepass")


def write(client: Any, base: str, parts: Parts, edits: Edits) -> None:
    """Make the changes in Redis. What Redis does not take is left as it was."""
    pipe = client.pipeline(transaction=False)
    for name, changed in edits.items():
        key, part = base + name, parts[name]
        if WHOLE in changed:
            pipe.delete(key)
            if changed[WHOLE] is not None:  # a later change may delete what an earlier one set
                pipe.set(key, changed[WHOLE])
        elif part.kind == b"stream":
            pipe.delete(key)  # a line of a stream cannot be changed
            for at, fields in {**part.elements, **changed}.items():
                if fields:
                    id = at if at in part.elements else "*"
                    pipe.execute_command(
                        "XADD", key, id, *(x for pair in fields.items() for x in pair)
                    )
        else:
            for at, value in changed.items():
                _write(pipe, key, part.kind, at, value)
    pipe.execute(raise_on_error=False)


def _write(pipe: Any, key: str, kind: bytes, at: bytes, value: Any) -> None:
    match kind:
        case b"hash" if value is None:
            pipe.hdel(key, at)
        case b"hash":
            pipe.hset(key, at, value)
        case b"zset" if value is None:
            pipe.zrem(key, at)
        case b"zset":
            pipe.execute_command("ZADD", key, value, at)
        case b"set":
            (pipe.srem if value is None else pipe.sadd)(key, at)
        case _ if value is None:
            pipe.delete(key)
        case _:
            pipe.set(key, value)
