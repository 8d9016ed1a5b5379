"""Entries that the configuration declares and that are not in the store yet."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from beatd.errors import Problem, StoreAbsent, StoreUnusable, UnknownEntry, in_one_line

if TYPE_CHECKING:
    from beatd.config import Config
    from beatd.sources import Reading

NAMES_SHOWN_MAX = 3
#: What brings declared entries into the store.
APPLIES = "`beatd run` or `beatd apply` does"


def declared_places(config: "Config") -> Mapping[str, str]:
    """Return the file and line of each valid entry that the configuration's files declare, by name.

    Entries that only a Celery app declares are left out: importing an app may be slow.
    """
    reading = _reading(config)
    return {} if reading is None else reading.declared.places


def _reading(config: "Config") -> "Reading | None":
    if not config.shown or not (config.entries or config.schedules):
        return None
    from beatd.clock import SystemClock
    from beatd.sources.files import Files

    return Files(config, SystemClock()).read()


def unknown_if_declared(error: UnknownEntry, config: "Config") -> UnknownEntry:
    """Return an error that says where the unknown entry is declared, or may be declared.

    It may be declared in a file with a mistake. Return `error` itself if the configuration neither
    declares it nor has a mistake in its entries.
    """
    reading = _reading(config)
    if reading is None:
        return error
    if (place := reading.declared.places.get(error.name)) is not None:
        return UnknownEntry(_not_applied(error.name, place), error.name)
    if wrong := _mistakes(reading.problems, error.name, config.shown):
        return UnknownEntry(f"{error}; not applied: {in_one_line(wrong)}", error.name)
    return error


def _mistakes(problems: Iterable[Problem], name: str, configuration: str) -> list[Problem]:
    """Return the errors because of which an entry is in no store: those in the entry itself, else
    those in entry files.

    The path of the `configuration` is that of its problems.
    """
    wrong = [one for one in problems if not one.warning]
    return [one for one in wrong if one.path[:2] == ("entries", name)] or [
        one for one in wrong if one.without_line().place != configuration
    ]


def _not_applied(name: str, place: str) -> str:
    return (
        f"entry {name!r} is declared in {place}, but not in the store: no daemon has applied it "
        f"yet; {APPLIES}"
    )


def not_applied_text(config: "Config", pattern: str | None) -> str:
    """Return which entries the configuration declares, for a store that has none of them.

    Only names that match the shell pattern count; None matches all. Return "" if there are none.
    """
    names = [name for name in declared_places(config) if fnmatchcase(name, pattern or "*")]
    if not names:
        return ""
    entries = "1 entry" if len(names) == 1 else f"{len(names)} entries"
    return f"{config.shown} declares {entries} that no daemon has applied yet ({_some(names)})"


def absent_if_declared(error: StoreAbsent, config: "Config") -> StoreUnusable:
    """Return an error that names the declared entries, which are in no store yet.

    Return `error` itself if the configuration declares none.
    """
    declared = not_applied_text(config, None)
    return StoreUnusable(f"{error}; {declared}") if declared else error


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - NAMES_SHOWN_MAX} more" if len(every) > NAMES_SHOWN_MAX else ""
    return f"{', '.join(every[:NAMES_SHOWN_MAX])}{more}"
