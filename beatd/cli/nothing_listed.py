"""The text of `beatd list` if it lists nothing: why, and which words may be meant."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from beatd.cli.escapes import visible

if TYPE_CHECKING:
    from beatd.cli.chosen_store import ChosenStore, OpenedStore
    from beatd.config import Config

OWNERS_READ_MAX = 1000  # entries whose owners are compared
OWNERS_SHOWN_MAX = 5


def nothing_listed(chosen: "ChosenStore", config: "Config", options: Mapping[str, Any]) -> str:
    """Return the text for people if no entry matches the options of `beatd list`."""
    with chosen.open(config) as opened:
        if unreadable := _unreadable_text(chosen, opened, options):
            return visible(unreadable)
        hint = _owner_hint(opened, options["source"]) or _name_hint(opened, options["pattern"])
    narrowed = _narrows(options)
    # Declared entries have no state yet, so that no other option selects among them.
    by_name_only = not any(options[key] for key in options if key not in _BY_NAME)
    if not hint and by_name_only and chosen.daemon is None and chosen.url is None:
        from beatd.cli.declared_entries import APPLIES, not_applied_text

        declared = not_applied_text(config, options["pattern"])
        hint = f"; {declared}; {APPLIES}" if declared else ""
    if narrowed or hint:
        return visible(f"no entry {'matches' if narrowed else 'is in the store'}{hint}")
    return "no entry; `beatd add` makes one"


_BY_NAME = ("pattern", "sort", "limit")


def _unreadable_text(
    chosen: "ChosenStore", opened: "OpenedStore", options: Mapping[str, Any]
) -> str:
    # "" if this program can read all entries that the options select, or if it cannot know.
    from beatd.edits.unknown_entry import unreadable, unreadable_error

    catalog, pattern = opened.store.catalog, options["pattern"]
    if pattern is not None:
        return str(unreadable_error(pattern)) if unreadable(catalog, [pattern]) else ""
    if _narrows(options) or chosen.daemon is not None:
        return ""
    count = catalog.count()
    return f"no entry of {count} can be read; `beatd doctor` shows the reasons" if count else ""


def _narrows(options: Mapping[str, Any]) -> bool:
    return any(value for key, value in options.items() if key not in ("sort", "limit"))


def _owner_hint(opened: "OpenedStore", owner: str | None) -> str:
    """Return a hint at the owners that there are, or "" if `owner` is one of them or None."""
    from beatd.catalog import Query

    if owner is None:
        return ""
    found = opened.store.catalog.find(Query(limit=OWNERS_READ_MAX))
    owners = sorted({row.entry.source for row in found})
    if not owners or owner in owners:
        return ""
    if near := get_close_matches(owner, owners, 1):
        return f"; did you mean --source {near[0]}?"
    some = ", ".join(owners[:OWNERS_SHOWN_MAX])
    return f"; no entry is of {owner!r}; there are {some}"


def _name_hint(opened: "OpenedStore", pattern: str | None) -> str:
    """Return a hint at the most similar name, or "" for a shell pattern or without such a name."""
    from beatd.edits.unknown_entry import nearest_name

    if pattern is None or any(c in pattern for c in "*?["):
        return ""
    near = nearest_name(opened.store.catalog, pattern)
    return f"; did you mean {near!r}?" if near and near != pattern else ""
