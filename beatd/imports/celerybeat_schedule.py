"""Read celerybeat-schedule, the file in which celery beat saves its entries."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from beatd.errors import ConfigError, with_article
from beatd.imports.celery_object import CeleryObject
from beatd.imports.celery_terms import Terms, crontab, entry_found, every, solar
from beatd.imports.found_entry import FoundEntry, Read, Refused, refused
from beatd.imports.pickled import is_unknown, loads, unknowns
from beatd.imports.running_beat import who_runs_on
from beatd.imports.shelve_file import raw_values

MAX_ARGUMENT_VALUES = 100_000  # in one entry


def read_celerybeat_schedule(path: Path) -> Read:
    """Return the entries in celery beat's schedule file.

    The result also has the refused entries, a note about the time zone, and a reason if celery beat
    seems to run. Raises ConfigError if the file is no schedule file, or if its pickles call a class
    that no schedule needs.
    """
    raw = raw_values(path)
    if b"entries" not in raw:
        raise ConfigError(f"{path}: there are no entries of celery beat in it")
    try:
        entries = loads(raw[b"entries"])
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(entries, dict):
        raise ConfigError(
            f"{path}: its entries are {with_article(type(entries).__name__)}, not a dict"
        )
    found: list[FoundEntry] = []
    wrong: list[Refused] = []
    for key, value in entries.items():
        try:
            found.append(_entry(str(key), value))
        except Exception as error:
            wrong.append(refused(str(key), error))
    zone = _zone(raw)
    notes = (f"celery beat ran it in {zone}",) if zone else ()
    who = who_runs_on(path)
    # The latest runs are not in the file yet: celery writes it every three minutes.
    return Read(found, wrong, notes, f"celery beat runs: {who}" if who else "")


def zone_of(path: Path) -> str | None:
    """Return the time zone that celery beat saved in its schedule file, or None if it is
    unknown."""
    return _zone(raw_values(path))


def _zone(raw: dict[bytes, bytes]) -> str | None:
    try:
        zone = loads(raw[b"tz"]) if b"tz" in raw else None
    except ConfigError:
        return None
    return zone if isinstance(zone, str) and zone else None


def _entry(name: str, value: Any) -> FoundEntry:
    if is_unknown(value):
        raise ConfigError(
            f"it is {with_article(value.named)}, and only celery's own entries are known"
        )
    if not isinstance(value, CeleryObject) or value.kind != "entry":
        raise ConfigError(
            f"it is {with_article(type(value).__name__)}, not an entry of celery beat"
        )
    kept = value.fields
    strangers = unknowns(
        [kept.get(key) for key in ("task", "args", "kwargs", "options")], MAX_ARGUMENT_VALUES
    )
    if strangers:
        raise ConfigError(
            f"its arguments hold {with_article(strangers[0])}, which JSON cannot carry"
        )
    last = kept.get("last_run_at")
    last = last if isinstance(last, datetime) else None
    runs = kept.get("total_run_count")
    runs = runs if isinstance(runs, int) else 0
    return entry_found(
        name=name,
        task=kept.get("task"),
        terms=_terms(kept.get("schedule"), last),
        args=kept.get("args"),
        kwargs=kept.get("kwargs"),
        options=kept.get("options"),
        # For an entry that never ran celery writes the moment when it was added.
        last=last,
        runs=runs,
    )


def _terms(schedule: Any, last: datetime | None) -> Terms:
    if is_unknown(schedule):
        raise ConfigError(
            f"its schedule is {with_article(schedule.named)}, which runs code of its own"
        )
    if isinstance(schedule, timedelta):
        return every(schedule)
    if isinstance(schedule, int | float) and not isinstance(schedule, bool):
        return every(timedelta(seconds=schedule))
    if not isinstance(schedule, CeleryObject):
        raise ConfigError(
            f"its schedule is {with_article(type(schedule).__name__)}, which celery beat does not "
            "know"
        )
    fields = schedule.fields
    # crontab(app=app) has its app in its state; the schedule does not depend on it.
    strangers = [
        name for name in unknowns(fields.get("state")) if not name.startswith("celery.app.")
    ]
    if strangers:
        raise ConfigError(
            f"its schedule holds {with_article(strangers[0])}, which runs code of its own"
        )
    terms = _kept_terms(schedule.kind, fields, last)
    if fields.get("nowfun") is not None:
        note = "it had a nowfun; check its tz"
        return Terms(terms.plain, (*terms.notes, note))
    return terms


def _kept_terms(kind: str, fields: dict[str, Any], last: datetime | None) -> Terms:
    if kind == "schedule":
        length = fields.get("run_every")
        if isinstance(length, int | float) and not isinstance(length, bool):
            length = timedelta(seconds=length)
        if not isinstance(length, timedelta):
            raise ConfigError(
                f"its interval is {with_article(type(length).__name__)}, not a length of time"
            )
        return every(length, relative=bool(fields.get("relative")), last=last)
    if kind == "crontab":
        return crontab(fields)
    if kind == "solar":
        return solar(fields.get("event"), fields.get("lat"), fields.get("lon"))
    raise ConfigError(f"its schedule is a {kind}; schedule, crontab and solar are known")
