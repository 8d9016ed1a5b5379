"""Keep celery's dict of schedule entries and the app's `beat_schedule` equal."""

from collections.abc import Callable
from typing import Any

from beatd.definition.celery_schedule import as_written

_NEITHER = (None, None)


class BeatScheduleSync:
    """Keeps two dicts of an app equal: celery's schedule entries, and the app's `beat_schedule`.

    Code edits the first through celery's scheduler, and the second by `add_periodic_task`.
    `entry_of` makes a schedule entry from a name and a value of `beat_schedule`.
    """

    def __init__(self, entry_of: Callable[[str, Any], Any]) -> None:
        self._entry_of = entry_of
        self._seen: dict[str, tuple[Any, Any]] = {}

    def start(self, entries: dict[str, Any], declared: dict[str, Any]) -> None:
        """Remember both dicts, which must be equal now, so that `update` can find edits."""
        self._seen = {
            name: (entries.get(name), declared.get(name)) for name in {**declared, **entries}
        }

    def update(self, entries: dict[str, Any], declared: dict[str, Any]) -> None:
        """Copy to each dict the edits that were made to the other one since the last call.

        If a name was edited in both dicts, the edit in `entries` wins. Other threads may edit the
        dicts during the call.
        """
        seen = {}
        for name in {**self._seen, **declared, **entries}:
            entry, written = entries.get(name), declared.get(name)
            entry_then, written_then = self._seen.get(name, _NEITHER)
            if entry is not entry_then:
                written = as_written(entry)
                _put(declared, name, written)
            elif written is not written_then:
                entry = self._entry_of(name, written)
                _put(entries, name, entry)
            if entry is not None or written is not None:
                seen[name] = (entry, written)
        self._seen = seen


def _put(place: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        place.pop(name, None)
    else:
        place[name] = value
