"""Make an entry from plain data, such as a mapping from YAML, and report every fault in it."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import Any, NamedTuple

from beatd.definition.argument_values import as_json, unicode, unknown_types
from beatd.definition.arguments import TYPES
from beatd.definition.fields import FIELDS, KEYS, KINDS, SHIFTS
from beatd.definition.options import OPTIONS, merged, read_options
from beatd.entry import PAYLOAD, Alert, Entry, Schedule
from beatd.errors import ConfigError, Problem, in_one_line, nearest
from beatd.schedules import schedule_from
from beatd.schedules.duration import parse_duration
from beatd.schedules.quote import quoted

MAX_NAME_CHARS = 250
_DAY = timedelta(days=1)
# A moment without an offset is in the entry's zone.
_ZONE_FIRST = sorted(FIELDS, key=lambda field: field.name != "tz")


class Checked(NamedTuple):
    """An entry made by `check` and all problems of its data.

    The entry is None if at least one problem is an error. Warnings alone do not prevent the entry.
    """

    entry: Entry | None
    problems: list[Problem]


def entry_from(
    name: str,
    plain: Mapping[str, Any],
    *,
    timezone: str = "UTC",
    source: str = "cli",
    declared_at: str = "",
    defaults: Mapping[str, Any] | None = None,
) -> Entry:
    """Return the entry that a mapping with the keys of YAML describes.

    `timezone` is the zone of an entry without `tz`. `source` is the owner of the entry, and
    `declared_at` its place in a file. `defaults` has values for missing keys. Raises ConfigError
    with all errors if there are any; warnings are ignored.
    """
    checked = check(
        name,
        plain,
        timezone=timezone,
        source=source,
        declared_at=declared_at,
        defaults=defaults,
    )
    if checked.entry is None:
        errors = [problem for problem in checked.problems if not problem.warning]
        raise ConfigError(in_one_line(errors), errors)
    return checked.entry


def check(
    name: str,
    plain: Any,
    *,
    timezone: str = "UTC",
    source: str = "cli",
    declared_at: str = "",
    defaults: Mapping[str, Any] | None = None,
) -> Checked:
    """Return the entry that a mapping with the keys of YAML describes, with all problems.

    `timezone` is the zone of an entry without `tz`. `source` is the owner of the entry, and
    `declared_at` its place in a file. `defaults` has values for missing keys. The path of a problem
    begins at the entry's own keys.
    """
    problems: list[Problem] = []
    named = name_problem(name)
    if named:
        problems.append(Problem(named))
    try:
        unicode(declared_at)
    except ConfigError as error:
        problems.append(Problem(f"the name of its file {error}"))
    if not isinstance(plain, Mapping):
        text = f"{quoted(plain)} is not an entry; write a mapping with task and a schedule"
        return Checked(None, [*problems, Problem(text)])
    given = merged(defaults, plain) if defaults else plain
    for key in given:
        if key not in KEYS:
            problems.append(Problem(f"is not a key of an entry{hint_for(key, KEYS)}", (str(key),)))
    values, wrong = read_fields(given, timezone)
    problems += wrong
    if given.get("task") is None:
        problems.append(Problem("is missing; give the name of the task to run", ("task",)))
    tz = values.pop("tz", timezone)
    schedule, wrong = _schedule(name, given, values, tz)
    problems += wrong
    problems += _contradictions(given, values)
    if schedule is None or any(not problem.warning for problem in problems):
        return Checked(None, problems)
    for key in SHIFTS:
        values.pop(key, None)  # the schedule has taken them in
    entry = Entry(
        name=name, schedule=schedule, tz=tz, source=source, declared_at=declared_at, **values
    )
    return Checked(entry, problems)


def hint_for(key: Any, known: Collection[str]) -> str:
    """Return a hint for the error about an unknown key, or "" if there is none.

    The hint is that the key belongs under `options`, or the most similar key in `known`.
    """
    if key in OPTIONS:
        return f"; write options: {{{key}: …}}"
    return nearest(str(key), known)


def name_problem(name: Any) -> str:
    """Return why an entry cannot have this name, or "" if it can.

    Emoji, and spaces inside a name, are allowed.
    """
    if not isinstance(name, str):
        return f"{quoted(name)} is not a name; put it in quotes"
    if not name.strip():
        return "the name of an entry is empty"
    if len(name) > MAX_NAME_CHARS:
        start = quoted(name[:20] + "…")
        return f"the name {start} is {len(name)} characters long; at most {MAX_NAME_CHARS} will do"
    if name != name.strip():
        return f"the name {quoted(name)} begins or ends with a blank"
    # Not isprintable: it refuses the joiners that some emoji are made of.
    if any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" for c in name) or any(
        0xD800 <= ord(c) < 0xE000 for c in name
    ):
        return f"the name {quoted(name)} has control characters in it, such as a newline"
    return ""


def read_fields(given: Mapping[str, Any], timezone: str) -> tuple[dict[str, Any], list[Problem]]:
    """Return the valid values of an entry by key, and the problems of all values.

    A moment without a UTC offset is in the entry's zone `tz`, or else in `timezone`.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    tz = timezone
    for field in _ZONE_FIRST:
        value = given.get(field.name)
        if value is None:
            continue
        try:
            values[field.name] = field.kind.read(value, tz)
        except ConfigError as error:
            problems.append(Problem(str(error), (field.name,)))
        if field.name == "tz":
            tz = values.get("tz", timezone)
    if "options" in values:
        values["options"], wrong = read_options(values["options"], tz)
        problems += [problem.under("options") for problem in wrong]
    return values, problems


def _schedule(
    name: str, given: Mapping[str, Any], values: dict[str, Any], tz: str
) -> tuple[Schedule | None, list[Problem]]:
    written = [kind for kind in KINDS if kind in given]
    if len(written) != 1:
        every = ", ".join(KINDS)
        if not written:
            if any(get_close_matches(str(key), KINDS, 1, 0.6) for key in given if key not in KEYS):
                return None, []  # reported already, with the word that was meant
            return None, [Problem(f"has no schedule; give one of {every}")]
        text = f"{' and '.join(written)} are both given; an entry has one schedule"
        return None, [Problem(text, (written[1],))]
    kind = written[0]
    if given[kind] is None:
        return None, [Problem("is empty", (kind,))]
    value = given[kind]
    if not isinstance(value, date | timedelta):  # a moment may come from an app as one
        try:
            value = as_json(value)
        except ConfigError as error:
            return None, [Problem(str(error), (kind,))]
    plain = {kind: value}
    for shift in SHIFTS:
        if values.get(shift):
            plain[shift] = given[shift] if shift == "phase" else True
            if kind != "every":
                return None, [Problem(f"shifts the grid of `every`, and this is {kind}", (shift,))]
    try:
        schedule = schedule_from(
            plain,
            tz=tz,
            name=name if isinstance(name, str) else "",
            start=values.get("start"),
            dst_gap=values.get("dst_gap", "run"),
            dst_fold=values.get("dst_fold", "first"),
        )
    except ConfigError as error:
        text = str(error).removeprefix(f"{kind}: ")
        return None, [Problem(text, (kind,))]
    return schedule, []


def _contradictions(given: Mapping[str, Any], values: Mapping[str, Any]) -> list[Problem]:
    """Return problems of values that contradict others, have no effect or may surprise.

    Some of them are errors, others only warnings.
    """
    found = [problem for key in PAYLOAD for problem in _unknown_types(key, values.get(key))]
    start, end = values.get("start"), values.get("end")
    if isinstance(start, datetime) and isinstance(end, datetime) and end < start:
        found.append(
            Problem(f"{quoted(given['end'])} is before start; nothing would run", ("end",))
        )
    catch_up = values.get("catch_up", "latest")
    if catch_up == "all" and not ("catch_up_window" in given or "catch_up_max" in given):
        text = "all needs a limit: give catch_up_window (such as 1h) or catch_up_max as well"
        found.append(Problem(text, ("catch_up",)))
    for key, rule in (("catch_up_max", "all"), ("grace", "skip")):
        if given.get(key) is not None and catch_up != rule:
            text = f"counts only with catch_up: {rule}, and this is {catch_up}"
            found.append(Problem(text, (key,), warning=True))
    found += _warnings_of_alert(values)
    overlap = values.get("overlap", "allow")
    if overlap != "allow" and given.get("max_run") is None:
        text = (
            f"{overlap} needs max_run as well (such as 2h): after it, a run that no worker reports "
            "no longer counts as running"
        )
        found.append(Problem(text, ("overlap",)))
    every = given.get("every")
    if every is not None:
        found += _warnings_of_every(given, every)
    cron = given.get("cron")
    if isinstance(cron, str) and _both_days(cron):
        text = (
            f"{quoted(cron)} restricts both days, so EITHER matches; "
            "begin one with * to mean both, or use crontab"
        )
        found.append(Problem(text, ("cron",), warning=True))
    return found


def _warnings_of_alert(values: Mapping[str, Any]) -> list[Problem]:
    alert = values.get("alert")
    if not isinstance(alert, Alert):
        return []
    found: list[Problem] = []
    jitter = values.get("jitter") or timedelta(0)
    if alert.late is not None and alert.late <= jitter:
        text = "is no longer than jitter, which delays runs on purpose; give a longer one"
        found.append(Problem(text, ("alert", "late"), warning=True))
    if alert.failed is None and alert.recovered != 1:
        text = "counts only with failed: it closes what failures in a row opened"
        found.append(Problem(text, ("alert", "recovered"), warning=True))
    return found


def _unknown_types(key: str, value: Any) -> list[Problem]:
    return [
        Problem(
            f"has a mapping of the type {quoted(name)} (__type__), which workers cannot read "
            f"unless they register it with kombu{nearest(name, TYPES)}",
            (key,),
            warning=True,
        )
        for name in unknown_types(value)
    ]


def _warnings_of_every(given: Mapping[str, Any], every: Any) -> list[Problem]:
    found: list[Problem] = []
    try:
        from_epoch = parse_duration(every) > _DAY
    except ConfigError:
        from_epoch = False
    if from_epoch and given.get("start") is None and given.get("phase") is None:
        text = (
            f"{quoted(every)} counts from 1970-01-01 (a Thursday), UTC; give start to say from when"
        )
        found.append(Problem(text, ("every",), warning=True))
    for key, default in (("dst_gap", "run"), ("dst_fold", "first")):
        if given.get(key) not in (None, default):
            text = "does nothing for `every`, whose grid does not follow the wall clock"
            found.append(Problem(text, (key,), warning=True))
    return found


def _both_days(cron: str) -> bool:
    fields = cron.split()
    if len(fields) not in (5, 6, 7):
        return False
    at = 2 if len(fields) == 5 else 3
    return all(field[0] not in "*?" for field in (fields[at], fields[at + 2]))
