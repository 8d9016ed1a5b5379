"""Read and check an entry's `options`, which are passed to Celery's apply_async."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from beatd.definition import kinds
from beatd.definition.argument_values import as_argument, as_json
from beatd.definition.kinds import Kind
from beatd.errors import ConfigError, Problem, nearest
from beatd.schedules.quote import quoted

DURATION_MAX_S = 1000 * 366 * 86400  # a moment further ahead may be past the year 9999
#: Headers that celery writes for its workers; one of the same name in `headers` replaces it.
_OF_CELERY = frozenset(
    {"lang", "task", "id", "shadow", "eta", "expires", "group", "group_index", "retries",
     "timelimit", "root_id", "parent_id", "argsrepr", "kwargsrepr", "origin", "ignore_result",
     "replaced_task_nesting", "stamped_headers", "stamps"}
)  # fmt: skip
_OF_BEATD = frozenset({"celery_beat_task", "periodic_task_name", "beatd_planned_at"})
_WHEN = {"anyOf": [*kinds.DURATION_SCHEMA["anyOf"], kinds.moment().schema]}
_POLICY = ("max_retries", "interval_start", "interval_step", "interval_max", "retry_errors")


def _number(length: timedelta) -> int | float:
    seconds = length / timedelta(seconds=1)
    return int(seconds) if seconds.is_integer() else seconds


def _seconds(value: Any, _tz: str) -> int | float:
    """Return the seconds for a number or a text such as "1h", as apply_async expects them.

    Raises ConfigError if the value is not a duration, or is more than a thousand years.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        as_json(value)
        length = value
    else:
        length = _number(kinds.duration().read(value, _tz))
    if abs(length) > DURATION_MAX_S:
        raise ConfigError(f"{quoted(value)} is more than a thousand years; leave it out")
    return length


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _moment(value: Any, tz: str) -> str:
    return _iso(kinds.moment().read(value, tz))


def _expires(value: Any, tz: str) -> int | float | str:
    """Return when a message expires: after seconds, at a moment (ISO text), or "next".

    With "next", workers drop the message when the entry's following run is due. Raises ConfigError
    for any other value.
    """
    if isinstance(value, str) and value.strip().lower() == "next":
        return "next"
    try:
        return _seconds(value, tz)
    except ConfigError:
        if isinstance(value, int | float):
            raise
        try:
            return _moment(value, tz)
        except ConfigError:
            raise ConfigError(
                f"{quoted(value)} is no expiry; write seconds, 1h, an ISO 8601 moment or next"
            ) from None


def _priority(value: Any, tz: str) -> int:
    return int(kinds.whole(0, 255).read(value, tz))


def _exchange(value: Any, tz: str) -> str:
    """Return the name of an exchange; "" is the default exchange of AMQP.

    The broker routes a message from "" to the queue that the routing key names.
    """
    return "" if value == "" else str(_NAME.read(value, tz))


def _any(value: Any, _tz: str) -> Any:
    return as_argument(value)


def _signatures(value: Any, tz: str) -> Any:
    """Return a Celery signature as a mapping; a list of signatures becomes a list of mappings.

    Raises ConfigError if a signature is not valid.
    """
    if isinstance(value, list | tuple):
        return [_signatures(item, tz) for item in value]
    if not isinstance(value, Mapping) or not isinstance(value.get("task"), str):
        raise ConfigError(
            f"{quoted(value)} is not a signature; write it like {{task: proj.done, args: [1]}}"
        )
    return as_argument(value)


def _policy(value: Any, tz: str) -> dict[str, Any]:
    policy: dict[str, Any] = kinds.json_mapping().read(value, tz)
    for key, item in policy.items():
        if key not in _POLICY:
            raise ConfigError(f"{quoted(key)} is not in a retry policy{nearest(key, _POLICY)}")
        if key != "retry_errors" and (
            isinstance(item, bool) or not isinstance(item, int | float | None) or (item or 0) < 0
        ):
            raise ConfigError(f"{key}: {quoted(item)} is not a number of seconds or retries")
    return policy


def _delivery_mode(value: Any, _tz: str) -> int | str:
    if isinstance(value, int | str) and not isinstance(value, bool):
        if value in (1, 2, "1", "2"):
            return int(value)
        if value in ("persistent", "transient"):
            return str.__str__(value)
    raise ConfigError(f"{quoted(value)} is neither 2 (persistent) nor 1 (transient)")


_SECONDS = Kind(_seconds, kinds.DURATION_SCHEMA)
_SIGNATURE: dict[str, Any] = {
    "type": "object",
    "required": ["task"],
    "properties": {"task": {"type": "string"}},
}
_SIGNATURES = Kind(_signatures, {"anyOf": [_SIGNATURE, {"type": "array", "items": _SIGNATURE}]})
_NAME = kinds.text("a name")
_FLAG = kinds.flag()

#: name -> (its kind, its help)
OPTIONS: dict[str, tuple[Kind, str]] = {
    "queue": (_NAME, "The queue that the task goes to."),
    "exchange": (
        Kind(_exchange, {"type": "string", "maxLength": 1000}),
        "The exchange it is published to; '' = the default one, to the queue of the routing key.",
    ),
    "exchange_type": (kinds.choice("direct", "topic", "fanout", "headers"), "Its type."),
    "routing_key": (_NAME, "The routing key."),
    "priority": (
        Kind(_priority, kinds.whole(0, 255).schema),
        "0 to 255; which end is first is the broker's.",
    ),
    "expires": (
        Kind(_expires, {"anyOf": [*_WHEN["anyOf"], {"const": "next"}]}),
        "Seconds or a moment after which workers drop it; next = when the next run is due.",
    ),
    "headers": (kinds.argument_mapping(), "Headers of the message."),
    "serializer": (_NAME, "json, yaml, msgpack, or pickle where the app allows it."),
    "compression": (_NAME, "zlib, gzip, bzip2, lzma, zstd, brotli."),
    "countdown": (_SECONDS, "The worker waits this long."),
    "eta": (Kind(_moment, kinds.moment().schema), "The worker waits for this moment."),
    "time_limit": (_SECONDS, "The worker kills it after so long."),
    "soft_time_limit": (_SECONDS, "SoftTimeLimitExceeded is raised in the task after this time."),
    "ignore_result": (_FLAG, "Keep no result."),
    "shadow": (_NAME, "The name that monitors show."),
    "link": (_SIGNATURES, "Signatures to call when it succeeds."),
    "link_error": (_SIGNATURES, "Signatures to call when it fails."),
    "chain": (_SIGNATURES, "Signatures to call one after the other."),
    "chord": (_SIGNATURES, "The signature that a group ends in."),
    "retry": (_FLAG, "Try again when the broker cannot be reached."),
    "retry_policy": (
        Kind(_policy, {"type": "object"}),
        "max_retries, interval_start, …_step, …_max.",
    ),
    "delivery_mode": (
        Kind(_delivery_mode, {"enum": [1, 2, "persistent", "transient"]}),
        "2 (persistent) outlives a restart of the broker, 1 (transient) does not.",
    ),
    "mandatory": (_FLAG, "Unroutable messages are returned by the broker."),
    "reply_to": (_NAME, "Where replies go."),
    "expiration": (_SECONDS, "The broker drops the message after so long."),
    "message_id": (_NAME, "Property of the message."),
    "type": (_NAME, "Property of the message."),
    "app_id": (_NAME, "Property of the message."),
    "user_id": (_NAME, "Property of the message."),
    "content_type": (_NAME, "Property of the message."),
    "content_encoding": (_NAME, "Property of the message."),
    "origin": (_NAME, "Who sent it."),
    "argsrepr": (_NAME, "The arguments, as monitors show them."),
    "kwargsrepr": (_NAME, "The keyword arguments, as monitors show them."),
    "stamped_headers": (kinds.json_list(), "Which headers are stamps."),
    "add_to_parent": (_FLAG, "As apply_async has it."),
    "group_id": (_NAME, "As apply_async has it."),
    "group_index": (kinds.whole(0), "As apply_async has it."),
}

# Serializers that come with kombu. An app can register others, which only its processes know.
_SERIALIZERS = ("json", "yaml", "msgpack", "pickle", "auth", "raw")

_REFUSED = {
    "task_id": "beatd makes the id from the entry and the planned moment; leave it out",
    "id": "beatd makes the id from the entry and the planned moment; leave it out",
    "correlation_id": "it is the task's id, which beatd makes; leave it out",
    "root_id": "it is the task's id, which beatd makes; leave it out",
    "args": "belongs beside options, not in it",
    "kwargs": "belongs beside options, not in it",
}


def read_options(options: Mapping[str, Any], tz: str) -> tuple[dict[str, Any], list[Problem]]:
    """Return an entry's valid options as Celery expects them, and all problems.

    `tz` is the zone of a moment without a UTC offset. An option that beatd does not know is
    returned too, with a warning. An option with the value None is left out.
    """
    kept: dict[str, Any] = {}
    stamps, problems = _stamps(options)
    for name, value in options.items():
        if value is None:
            continue  # takes a default away
        if name in _REFUSED:
            problems.append(Problem(_REFUSED[name], (name,)))
            continue
        if name not in OPTIONS and name not in stamps:
            hint = nearest(name, OPTIONS) or "; it is passed on as it is"
            text = f"is not an option of apply_async that beatd knows{hint}"
            problems.append(Problem(text, (name,), warning=True))
        try:
            kind = OPTIONS[name][0].read if name in OPTIONS else _any
            kept[name] = kind(value, tz)
        except ConfigError as error:
            problems.append(Problem(str(error), (name,)))
    expires, serializer = kept.get("expires"), kept.get("serializer")
    if isinstance(expires, int | float) and expires <= 0:
        text = f"{expires} is over at once, so workers drop every run; leave it out, or write next"
        problems.append(Problem(text, ("expires",), warning=True))
    if serializer is not None and serializer not in _SERIALIZERS:
        hint = nearest(serializer, _SERIALIZERS) or "; does the app register it?"
        text = f"{quoted(serializer)} is no serializer that comes with kombu{hint}"
        problems.append(Problem(text, ("serializer",), warning=True))
    problems += header_warnings(kept.get("headers") or {})
    if "eta" in kept and "countdown" in kept:
        problems.append(
            Problem("countdown and eta exclude each other; keep one of them", ("countdown",))
        )
    soft, hard = kept.get("soft_time_limit"), kept.get("time_limit")
    if soft is not None and hard is not None and soft > hard:
        text = f"is later than time_limit ({hard} s), so the task is killed before the soft limit"
        problems.append(Problem(text, ("soft_time_limit",)))
    return kept, problems


def _stamps(options: Mapping[str, Any]) -> tuple[list[Any], list[Problem]]:
    """Return the names of the stamps, whose values are options, and a problem for each without one.

    Celery puts the values of `stamped_headers` into the message, and fails if there is none.
    """
    given = options.get("stamped_headers")
    names = list(given) if isinstance(given, list | tuple) else []
    return names, [
        Problem(
            f"names {quoted(name)}, which has no value; add {name}: VALUE to the options",
            ("stamped_headers",),
        )
        for name in names
        if not (isinstance(name, str) and options.get(name) is not None)
    ]


def header_warnings(headers: Mapping[str, Any]) -> list[Problem]:
    """Return a warning for each message header that Celery or beatd itself writes."""
    found: list[Problem] = []
    for name in headers:
        if name in _OF_CELERY:
            text = "replaces the header that celery writes for its workers; leave it out"
        elif name in _OF_BEATD:
            text = "is not sent, since beatd writes this header; leave it out"
        else:
            continue
        found.append(Problem(text, ("headers", name), warning=True))
    return found


def merged(defaults: Mapping[str, Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of an entry, with missing keys taken from `defaults`.

    In `options`, each missing option is taken from the defaults. Any other value of the entry
    replaces the whole default.
    """
    both = {**defaults, **plain}
    ours, theirs = plain.get("options"), defaults.get("options")
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        both["options"] = {**theirs, **ours}
    elif ours is None and theirs is not None:
        both["options"] = theirs
    return both
