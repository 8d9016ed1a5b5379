"""Read the tasks of RedBeat, a Celery scheduler that keeps them in Redis."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from beatd.definition.argument_values import MAX_DEPTH
from beatd.definition.arguments import is_tagged
from beatd.errors import ConfigError
from beatd.imports.celery_terms import Terms, crontab, entry_found, every
from beatd.imports.found_entry import FoundEntry, Read, Refused, refused
from beatd.imports.json_text import decoded
from beatd.imports.redbeat_rrule import rrule
from beatd.servers.redis import RedisServer

BATCH = 500  # keys read at once


def read_redbeat(url: str, *, prefix: str = "redbeat:", timezone: str = "UTC") -> Read:
    """Read RedBeat's tasks, whose keys in Redis begin with `prefix`.

    Malformed or incomplete tasks are returned as refused. `timezone` is the zone of the crontabs.
    The result also has a message if RedBeat seems to run.
    """
    found: list[FoundEntry] = []
    wrong: list[Refused] = []
    server = RedisServer(_as_ours(url), timeout=10)
    with closing(server), server.answering():
        statics = {
            key.decode(errors="replace") for key in server.client.smembers(f"{prefix}:statics")
        }
        running = _running(server.client, f"{prefix}:lock")
        for key, kept in _hashes(server.client, prefix):
            name = key.removeprefix(prefix)
            try:
                found.append(_entry(name, kept, timezone, static=name in statics))
            except Exception as error:
                wrong.append(refused(name, error))
    notes: tuple[str, ...] = ()
    if not found and not wrong:
        notes = (
            f"there is no key {prefix + ':schedule'!r} (RedBeat adds a colon); is --prefix right?",
        )
    return Read(found, wrong, notes, running)


def _running(client: Any, lock: str) -> str:
    # RedBeat deletes its lock when it stops. After RedBeat was killed, the lock exists until it
    # expires.
    left = client.ttl(lock)
    if left == -2:
        return ""
    held = "for ever" if left < 0 else f"for {left} s more"
    return f"RedBeat runs, or was killed: its lock {lock!r} is held {held}"


def _as_ours(url: str) -> str:
    # For URLs of Sentinels or a Redis Cluster. Raises ConfigError for a Sentinel URL without the
    # name of the service.
    scheme, colon, rest = url.partition("://")
    kind, dash, form = scheme.partition("-")
    if not dash or form not in ("sentinel", "cluster"):
        return url
    if form == "sentinel" and urlsplit(url).path.strip("/").isdecimal():
        raise ConfigError(
            "redbeat: name the service that the Sentinels watch: "
            "redbeat+redis-sentinel://HOST:26379;HOST:26379/SERVICE/DB"
        )
    return f"{kind}+{form}{colon}{rest}"


def _hashes(client: Any, prefix: str) -> Iterator[tuple[str, dict[str, bytes] | str]]:
    # Yields the raw values "definition" and "meta" of each entry's hash, or the reason why they
    # cannot be read.
    keys = sorted({key for key, _ in client.zscan_iter(f"{prefix}:schedule", count=1000)})
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        with client.pipeline(transaction=False) as pipe:
            for key in batch:
                pipe.hmget(key, "definition", "meta")
            answers = pipe.execute(raise_on_error=False)
        for raw, answer in zip(batch, answers, strict=True):
            key = raw.decode(errors="replace")
            if isinstance(answer, Exception):
                yield key, "its key is not a hash"
            elif answer[0] is None:
                yield key, "its definition is gone: Redis evicted it, or somebody deleted it"
            else:
                yield key, {"definition": answer[0], "meta": answer[1] or b""}


def _entry(name: str, kept: dict[str, bytes] | str, zone: str, *, static: bool) -> FoundEntry:
    if isinstance(kept, str):
        raise ConfigError(kept)
    definition = _json(kept["definition"], "definition")
    meta = _json(kept["meta"], "meta") if kept["meta"] else {}
    last = _moment(meta.get("last_run_at"))
    given = definition.get("schedule")
    if not isinstance(given, dict):
        raise ConfigError("its definition has no schedule")
    return entry_found(
        name=str(definition.get("name") or name),
        task=definition.get("task"),
        terms=_terms(given, last, zone),
        args=_plain(definition.get("args")),
        kwargs=_plain(definition.get("kwargs")),
        options=_plain(definition.get("options")),
        enabled=None if definition.get("enabled", True) else False,
        last=last,
        runs=int(meta.get("total_run_count") or 0),
        notes=("stands in the app's beat_schedule too",) if static else (),
    )


def _json(text: bytes, what: str) -> dict[str, Any]:
    value = decoded(text, f"{what} is")
    if not isinstance(value, dict):
        raise ConfigError(f"its {what} is not a JSON object")
    return value


def _terms(given: dict[str, Any], last: datetime | None, zone: str) -> Terms:
    kind = given.get("__type__")
    if kind == "interval":
        length = timedelta(seconds=float(given["every"]))
        return every(length, relative=bool(given.get("relative")), last=last)
    if kind == "crontab":
        return crontab(given)
    if kind == "rrule":
        return rrule(given, zone)
    raise ConfigError(f"its schedule is of the unknown type {kind!r}")


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, dict) or value.get("__type__") != "datetime":
        return None
    zone = value.get("timezone", "UTC")
    # RedBeat writes the offset in seconds where the zone has no name.
    tz = ZoneInfo(zone) if isinstance(zone, str) else timezone(timedelta(seconds=zone))
    fields = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    numbers: list[Any] = [int(value.get(field, 0)) for field in fields]
    return datetime(*numbers).replace(tzinfo=tz)  # noqa: DTZ001


def _plain(value: Any, depth: int = 0) -> Any:
    # Decodes RedBeat's dates. Values that are nested deeper than an entry allows are not changed.
    if depth > MAX_DEPTH:
        return value
    if isinstance(value, dict):
        moment = None if is_tagged(value) else _moment(value)
        return moment or {key: _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    return value
