"""RedBeat's entries in Redis: hashes by name, and a sorted set that says which there are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import redis
from msgspec import DecodeError, json

from beatd.errors import ConfigError, StoreError
from beatd.imports.celery_terms import Terms, crontab, entry_found, every
from beatd.imports.found import Found, Read, Refused

BATCH = 500
_FREQ = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BY = ("bysetpos", "bymonth", "bymonthday", "byyearday", "byweekno", "byhour", "byminute",
       "bysecond")  # fmt: skip


def read_redbeat(url: str, *, prefix: str = "redbeat:") -> Read:
    """Every entry under the prefix, those that RedBeat would drop among the refused."""
    found: list[Found] = []
    refused: list[Refused] = []
    try:
        with redis.Redis.from_url(
            url, decode_responses=True, socket_timeout=10, socket_connect_timeout=10
        ) as client:
            for key, kept in _hashes(client, prefix):
                name = key.removeprefix(prefix)
                try:
                    found.append(_entry(name, kept))
                except (ConfigError, TypeError, ValueError, KeyError, AttributeError) as error:
                    refused.append(Refused(name, " ".join(str(error).split()) or "is malformed"))
    except redis.RedisError as error:
        raise StoreError(f"redbeat: {' '.join(str(error).split())[:200]}") from None
    except ValueError as error:
        raise ConfigError(f"redbeat: the URL is none of Redis: {error}") from None
    notes: tuple[str, ...] = ()
    if not found and not refused:
        notes = (f"there is no {prefix}:schedule; is --prefix right?",)
    return Read(found, refused, notes)


def _hashes(client: Any, prefix: str) -> Iterator[tuple[str, dict[str, str] | str]]:
    """The content of each entry; its key's own trouble where it is none."""
    keys = sorted({str(key) for key, _ in client.zscan_iter(f"{prefix}:schedule", count=1000)})
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        with client.pipeline(transaction=False) as pipe:
            for key in batch:
                pipe.hmget(key, "definition", "meta")
            answers = pipe.execute(raise_on_error=False)
        for key, answer in zip(batch, answers, strict=True):
            if isinstance(answer, Exception):
                yield key, "its key is not a hash"
            elif answer[0] is None:
                yield key, "its definition is gone: Redis evicted it, or somebody deleted it"
            else:
                yield key, {"definition": answer[0], "meta": answer[1] or ""}


def _entry(name: str, kept: dict[str, str] | str) -> Found:
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
        terms=_terms(given, last),
        args=definition.get("args"),
        kwargs=definition.get("kwargs"),
        options=_plain(definition.get("options")),
        enabled=None if definition.get("enabled", True) else False,
        last=last,
        runs=int(meta.get("total_run_count") or 0),
    )


def _json(text: str, what: str) -> dict[str, Any]:
    try:
        value = json.decode(text.encode())
    except (DecodeError, UnicodeEncodeError) as error:
        raise ConfigError(f"its {what} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"its {what} is not a JSON object")
    return value


def _terms(given: dict[str, Any], last: datetime | None) -> Terms:
    kind = given.get("__type__")
    if kind == "interval":
        length = timedelta(seconds=float(given["every"]))
        return every(length, relative=bool(given.get("relative")), last=last)
    if kind == "crontab":
        return crontab(given)
    if kind == "rrule":
        return Terms({"rrule": _rrule(given)})
    raise ConfigError(f"its schedule is of the unknown type {kind!r}")


def _rrule(given: dict[str, Any]) -> str:
    freq = given["freq"]
    named = _FREQ[freq] if isinstance(freq, int) else str(freq).upper()
    parts = [f"FREQ={named}"]
    if given.get("interval") not in (None, 1):
        parts.append(f"INTERVAL={int(given['interval'])}")
    if given.get("wkst") is not None:
        parts.append(f"WKST={_day(given['wkst'])}")
    if given.get("count") is not None:
        parts.append(f"COUNT={int(given['count'])}")
    if given.get("until") is not None:
        parts.append(f"UNTIL={_seconds(given['until']):%Y%m%dT%H%M%SZ}")
    for key in _BY:
        if given.get(key) is not None:
            parts.append(f"{key.upper()}={_numbers(given[key])}")
    if given.get("byweekday") is not None:
        days = given["byweekday"]
        days = days if isinstance(days, list) else [days]
        parts.append(f"BYDAY={','.join(_day(day) for day in days)}")
    if given.get("byeaster") is not None:
        raise ConfigError("its rrule has byeaster, which iCalendar rules have not")
    rule = ";".join(parts)
    if given.get("dtstart") is None:
        return rule
    return f"DTSTART:{_seconds(given['dtstart']):%Y%m%dT%H%M%SZ}\nRRULE:{rule}"


def _day(value: Any) -> str:
    if isinstance(value, dict):
        value, nth = value.get("wkday", value.get("weekday")), value.get("n")
        return f"{nth or ''}{_DAYS[int(value)]}"
    return _DAYS[int(value)]


def _numbers(value: Any) -> str:
    return ",".join(str(int(item)) for item in (value if isinstance(value, list) else [value]))


def _seconds(value: Any) -> datetime:
    return datetime.fromtimestamp(float(value), UTC)


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, dict) or value.get("__type__") != "datetime":
        return None
    zone = value.get("timezone", "UTC")
    # RedBeat writes the offset in seconds where the zone has no name.
    tz = ZoneInfo(zone) if isinstance(zone, str) else timezone(timedelta(seconds=zone))
    fields = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    numbers: list[Any] = [int(value.get(field, 0)) for field in fields]
    return datetime(*numbers).replace(tzinfo=tz)  # noqa: DTZ001


def _plain(value: Any) -> Any:
    """Options and their like, with RedBeat's own types in ours."""
    if isinstance(value, dict):
        moment = _moment(value)
        return moment if moment is not None else {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
