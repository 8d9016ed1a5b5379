"""celery's dict of schedule entries and the app's beat_schedule, kept in step."""

from collections.abc import Callable
from typing import Any

from beatd.definition.celery_schedule import as_written

_NEITHER = (None, None)


class InStep:
    """Code that knows celery's scheduler edits the one, `add_periodic_task` the other."""

    def __init__(self, entry_of: Callable[[str, Any], Any]) -> None:
        self._entry_of = entry_of
        self._seen: dict[str, tuple[Any, Any]] = {}

    def begin(self, entries: dict[str, Any], declared: dict[str, Any]) -> None:
        """They are in step as they are."""
        self._seen = {
            name: (entries.get(name), declared.get(name)) for name in {**declared, **entries}
        }

    def follow(self, entries: dict[str, Any], declared: dict[str, Any]) -> None:
        """What was put into one, or taken out, since the last time is so in the other; where
        both were edited, the entries win. Others may edit them meanwhile."""
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


def _put(there: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        there.pop(name, None)
    else:
        there[name] = value
