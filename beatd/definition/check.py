"""Make an entry from plain data, such as a mapping from YAML, and report every fault in it."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any, NamedTuple

from beatd.definition.argument_values import as_json, unicode
from beatd.definition.canvas_steps import read_canvas
from beatd.definition.contradictions import contradictions, unknown_types_in
from beatd.definition.fields import FIELDS, KEYS, KINDS, SHIFTS
from beatd.definition.options import OPTIONS, merged, read_options
from beatd.entry import Entry, Schedule
from beatd.errors import ConfigError, Problem, in_one_line, nearest
from beatd.schedules import schedule_from
from beatd.schedules.quote import quoted

MAX_NAME_CHARS = 250
HINTS_MAX = 100  # for unknown keys of one entry
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
    unknown = [key for key in given if key not in KEYS]
    for index, key in enumerate(unknown):
        hint = hint_for(key, KEYS) if index < HINTS_MAX else ""  # a hint takes 50 µs
        problems.append(Problem(f"is not a key of an entry{hint}", (str(key),)))
    values, wrong = read_fields(given, timezone)
    problems += wrong
    canvas, wrong = read_canvas(given, values.get("tz", timezone))
    problems += wrong
    if given.get("task") is None and canvas is None and not wrong:
        problems.append(
            Problem(
                "is missing; give the name of the task to run, or a chain, group or chord",
                ("task",),
            )
        )
    tz = values.pop("tz", timezone)
    schedule, wrong = _schedule(name, given, values, tz)
    problems += wrong
    problems += contradictions(given, values)
    if canvas is not None:
        problems += unknown_types_in(canvas)
    if schedule is None or any(not problem.warning for problem in problems):
        return Checked(None, problems)
    for key in SHIFTS:
        values.pop(key, None)  # the schedule has taken them in
    entry = Entry(
        name=name,
        schedule=schedule,
        tz=tz,
        source=source,
        declared_at=declared_at,
        canvas=canvas,
        **{"task": "", **values},
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
        return "the name of an entry is empty; give it one"
    if len(name) > MAX_NAME_CHARS:
        start = quoted(name[:20] + "…")
        return f"the name {start} is {len(name)} characters long; at most {MAX_NAME_CHARS} will do"
    if name != name.strip():
        return f"the name {quoted(name)} begins or ends with a blank; remove it"
    # Not isprintable: it refuses the joiners that some emoji are made of.
    if any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" for c in name) or any(
        0xD800 <= ord(c) < 0xE000 for c in name
    ):
        return (
            f"the name {quoted(name)} has control characters in it, such as a newline; remove them"
        )
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
        text = f"{' and '.join(written)} are both given; keep one of them"
        return None, [Problem(text, (written[1],))]
    kind = written[0]
    if given[kind] is None:
        return None, [Problem("is empty; give the schedule after it", (kind,))]
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
