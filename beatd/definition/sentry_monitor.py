"""Describe an entry to Sentry Crons: the name of its monitor there, and its schedule."""

import re
from hashlib import blake2b
from typing import Any

from beatd.entry import Entry

SLUG_MAX_CHARS = 50
_NOT_IN_SLUG = re.compile(r"[^a-z0-9_-]+")
_FIELD = r"(?:[0-9*/,-]|[a-z]{3})+"
_FIVE_FIELDS = re.compile(rf"{_FIELD}( {_FIELD}){{4}}", re.IGNORECASE)
_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60))
_CRONTAB = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


def slug_of(name: str) -> str:
    """Return the slug of an entry's monitor, its identifier in Sentry.

    The slug is the name itself if Sentry accepts the name, else a similar text with a digest at its
    end, so that two names have different slugs.
    """
    slug = _NOT_IN_SLUG.sub("-", name.lower()).strip("-_")
    if slug == name and len(slug) <= SLUG_MAX_CHARS:
        return slug
    digest = blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{slug[: SLUG_MAX_CHARS - 9].strip('-_') or 'entry'}-{digest}"


def monitor_config(entry: Entry) -> dict[str, Any] | None:
    """Return the Sentry monitor of an entry, or None if Sentry cannot have its schedule.

    Sentry accepts cron texts with five fields, and whole minutes, hours and days. The result has
    the schedule, the time zone, the tolerated delay and, if the entry has `max_run`, the longest
    run.
    """
    schedule = _schedule(entry)
    if schedule is None:
        return None
    config: dict[str, Any] = {"schedule": schedule, "timezone": entry.tz}
    if entry.max_run is not None:
        config["max_runtime"] = max(1, round(entry.max_run.total_seconds() / 60))
    late_minutes = entry.jitter.total_seconds() / 60
    config["checkin_margin"] = 1 + int(late_minutes)
    return config


def _schedule(entry: Entry) -> dict[str, Any] | None:
    plain = entry.schedule.plain()
    if "cron" in plain:
        text = " ".join(str(plain["cron"]).split())
        return {"type": "crontab", "value": text} if _FIVE_FIELDS.fullmatch(text) else None
    if "crontab" in plain:
        fields = [str(plain["crontab"].get(key, "*")).replace(" ", "") for key in _CRONTAB]
        if fields[2] != "*" and fields[4] != "*":
            return None  # celery needs both days to match, cron one of them
        return {"type": "crontab", "value": " ".join(fields)}
    if "every" in plain and entry.schedule.period is not None:
        seconds = entry.schedule.period / 1_000_000
        for unit, size in _UNITS:
            if seconds % size == 0:
                return {"type": "interval", "value": int(seconds // size), "unit": unit}
    return None
