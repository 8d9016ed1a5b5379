"""Entries that the configuration declares and that are not in the store yet."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from beatd.errors import StoreAbsent, StoreUnusable, UnknownEntry

if TYPE_CHECKING:
    from beatd.config import Config

NAMES_SHOWN_MAX = 3
#: What brings declared entries into the store.
APPLIES = "`beatd run` or `beatd apply` does"


def declared_places(config: "Config") -> Mapping[str, str]:
    """Return the file and line of each valid entry that the configuration's files declare, by name.

    Entries that only a Celery app declares are left out: importing an app may be slow.
    """
    if not config.shown or not (config.entries or config.schedules):
        return {}
    from beatd.clock import SystemClock
    from beatd.sources.files import Files

    return Files(config, SystemClock()).read().declared.places


def unknown_if_declared(error: UnknownEntry, config: "Config") -> UnknownEntry:
    """Return an error that names the place where the unknown entry is declared.

    Return `error` itself if the configuration does not declare it.
    """
    place = declared_places(config).get(error.name)
    return error if place is None else UnknownEntry(_not_applied(error.name, place), error.name)


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
