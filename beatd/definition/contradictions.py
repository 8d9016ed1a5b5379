"""Find values of an entry that contradict others, have no effect or may surprise."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from beatd.canvas import tasks_of
from beatd.definition.argument_values import unknown_types
from beatd.definition.arguments import TYPES
from beatd.entry import CANVASES, PAYLOAD, Alert, Step
from beatd.errors import ConfigError, Problem, nearest
from beatd.schedules.duration import parse_duration
from beatd.schedules.quote import quoted

_DAY = timedelta(days=1)


def contradictions(given: Mapping[str, Any], values: Mapping[str, Any]) -> list[Problem]:
    """Return problems of values that contradict others, have no effect or may surprise.

    `given` has the values as they were written, `values` those that could be read. Some problems
    are errors, others only warnings.
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
    if overlap == "replace" and any(given.get(key) is not None for key in CANVASES):
        text = "replace can end one task only, and this run has several; write queue or skip"
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
        text = "is not longer than jitter, which delays runs on purpose; give a longer one"
        found.append(Problem(text, ("alert", "late"), warning=True))
    if alert.failed is None and alert.recovered != 1:
        text = "counts only with failed: it closes what failures in a row opened"
        found.append(Problem(text, ("alert", "recovered"), warning=True))
    return found


def unknown_types_in(canvas: Step) -> list[Problem]:
    """Return a warning for each value in a step that workers may not be able to read."""
    return [
        problem.under(*path)
        for path, step in tasks_of(canvas)
        for key in ("args", "kwargs")
        for problem in _unknown_types(key, getattr(step, key))
    ]


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
