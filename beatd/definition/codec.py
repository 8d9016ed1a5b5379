"""Between an entry and the JSON a store keeps: what a leader does for every row it reads."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from msgspec import UNSET, DecodeError, Raw, Struct, UnsetType, ValidationError, json

from beatd.definition.arguments import TYPE, untagged
from beatd.definition.as_plain import json_plain_of
from beatd.definition.fields import KINDS
from beatd.definition.kinds import DEEPEST
from beatd.entry import CatchUp, Entry, OnUnknown
from beatd.errors import ConfigError, StoreError
from beatd.schedule import Schedule
from beatd.schedules import schedule_from
from beatd.schedules.duration import parse_duration
from beatd.schedules.moment import parse_moment
from beatd.schedules.quote import quoted
from beatd.schedules.zone import zone_name

_TAG = f'"{TYPE}"'.encode()
SHARED_SCHEDULES = 8192  # some 1 kB each
SHARED_TEXT = 500  # bytes; a longer schedule is seldom another entry's as well
_NOTHING = timedelta(0)
_GRACE = timedelta(seconds=10)


class _Definition(Struct, forbid_unknown_fields=True):
    """Typed, so that msgspec does in a microsecond what the checker takes its time for."""

    task: str
    tz: str = "UTC"
    every: Raw | UnsetType = UNSET
    cron: Raw | UnsetType = UNSET
    crontab: Raw | UnsetType = UNSET
    at: Raw | UnsetType = UNSET
    solar: Raw | UnsetType = UNSET
    rrule: Raw | UnsetType = UNSET
    spread: bool = False
    phase: str | None = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    options: dict[str, Any] = {}
    enabled: bool = True
    start: str | None = None
    end: str | None = None
    max_runs: int | None = None
    jitter: str | None = None
    dst_gap: Literal["run", "skip"] = "run"
    dst_fold: Literal["first", "last", "both"] = "first"
    catch_up: CatchUp = "latest"
    catch_up_window: str | None = None
    catch_up_max: int | None = None
    grace: str | None = None
    on_unknown: OnUnknown = "resend"
    description: str = ""


_duration = lru_cache(maxsize=4096)(parse_duration)
_decoder = json.Decoder(_Definition)
_encoder = json.Encoder()


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime:
    return parse_moment(text, "UTC")


@lru_cache(maxsize=SHARED_SCHEDULES)
def _schedule(
    kind: str,
    raw: bytes,
    shifts: tuple[bool, str | None],
    when: tuple[str, str | None, str, str],
    name: str,
) -> Schedule:
    """Ten thousand entries on one schedule share one value; `name` is empty where it has no say."""
    tz, start, gap, fold = when
    plain: dict[str, Any] = {kind: json.decode(raw)}
    if shifts[0]:
        plain["spread"] = True
    if shifts[1] is not None:
        plain["phase"] = shifts[1]
    return schedule_from(
        plain,
        tz=tz,
        name=name,
        start=None if start is None else _moment(start),
        dst_gap=gap,
        dst_fold=fold,
    )


def _schedule_of(name: str, found: _Definition) -> Schedule:
    for kind in KINDS:
        raw = getattr(found, kind)
        if raw is not UNSET:
            text = bytes(raw)
            named = found.spread or (kind == "cron" and (b"H" in text or b"h" in text))
            when = (found.tz, found.start, found.dst_gap, found.dst_fold)
            shifts = (found.spread, found.phase)
            made = _schedule if len(text) <= SHARED_TEXT else _schedule.__wrapped__
            return made(kind, text, shifts, when, name if named else "")
    raise ConfigError(f"it has none of {', '.join(KINDS)}")


class JsonCodec:
    """The catalog's Codec: JSON of the definition as YAML has it."""

    def encode(self, entry: Entry) -> bytes:
        return _encoder.encode(json_plain_of(entry))

    def decode(self, name: str, definition: bytes, source: str, declared_at: str) -> Entry:
        try:
            found = _decoder.decode(definition)
            if _TAG in definition:
                found.args = tuple(untagged(list(found.args)))
                found.kwargs, found.options = untagged(found.kwargs), untagged(found.options)
            return Entry(
                name=name,
                task=found.task,
                schedule=_schedule_of(name, found),
                tz=zone_name(found.tz),
                args=found.args,
                kwargs=found.kwargs,
                options=found.options,
                enabled=found.enabled,
                start=None if found.start is None else _moment(found.start),
                end=None if found.end is None else _moment(found.end),
                max_runs=found.max_runs,
                jitter=_NOTHING if found.jitter is None else _duration(found.jitter),
                dst_gap=found.dst_gap,
                dst_fold=found.dst_fold,
                catch_up=found.catch_up,
                catch_up_window=(
                    None if found.catch_up_window is None else _duration(found.catch_up_window)
                ),
                catch_up_max=found.catch_up_max,
                grace=_GRACE if found.grace is None else _duration(found.grace),
                on_unknown=found.on_unknown,
                description=found.description,
                source=source,
                declared_at=declared_at,
            )
        except (ValidationError, DecodeError, ConfigError, RecursionError) as error:
            why = f"it is nested deeper than {DEEPEST} levels" if _is_deep(error) else error
            raise ConfigError(
                f"entry {quoted(name)} in the store cannot be read: {why}; "
                "a newer beatd wrote it, or it was changed by hand"
            ) from None
        except OSError as error:
            # No descriptor is left to open its zone: the entry itself may be as it should be.
            raise StoreError(
                f"entry {quoted(name)} cannot be read now: {error.strerror or error}"
            ) from error


def _is_deep(error: Exception) -> bool:
    return isinstance(error, RecursionError)


codec = JsonCodec()
