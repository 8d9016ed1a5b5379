"""The differences between two sets of entries as JSON, for `beatd diff --json`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from beatd.definition import json_plain_of
from beatd.schedules.moment import format_moment
from beatd.views.set_changes import EntryChange, SetChanges


def changes_json(changes: SetChanges) -> dict[str, Any]:
    """Return the differences as JSON; all moments are in UTC."""
    compared = [one for one in changes.entries if one.runs is not None]
    return {
        "from": _utc(changes.since),
        "to": _utc(changes.end),
        "entries": {
            "added": [one.name for one in changes.of(before=False, after=True)],
            "gone": [one.name for one in changes.of(before=True, after=False)],
            "changed": [_entry(one) for one in changes.of(before=True, after=True)],
            "unchanged": changes.unchanged,
        },
        "runs": [run for one in compared for run in _runs(one)],
        "counts": [
            {"entry": one.name, "before": one.runs.before, "after": one.runs.after}
            for one in compared
            if one.runs is not None
        ],
        "far_more_often": [one.name for one in compared if one.far_more_often],
        "far_less_often": [one.name for one in compared if one.far_less_often],
        "herds": [
            {"at": _utc(herd.moment), "before": herd.before, "after": herd.after}
            for herd in changes.herds
        ],
        "more_herds": changes.more_herds,
        "clock_changes": [
            {
                "entry": one.name,
                "at": _utc(night.moment),
                "effect": night.effect,
                "wall": night.wall.isoformat(),
            }
            for one in changes.entries
            for night in one.nights
        ],
        "compared_in_part": {
            one.name: _utc(one.runs.until)
            for one in compared
            if one.runs is not None and not one.runs.complete
        },
        "not_compared": [one.name for one in changes.entries if not one.is_counted],
    }


def _entry(change: EntryChange) -> dict[str, Any]:
    return {
        "name": change.name,
        "before": None if change.before is None else json_plain_of(change.before),
        "after": None if change.after is None else json_plain_of(change.after),
    }


def _runs(change: EntryChange) -> Iterator[dict[str, str]]:
    runs = change.runs
    if runs is None:
        return
    for moment in runs.added:
        yield {"entry": change.name, "change": "added", "at": _utc(moment)}
    for moment in runs.gone:
        yield {"entry": change.name, "change": "gone", "at": _utc(moment)}
    for old, new in runs.moved:
        yield {"entry": change.name, "change": "moved", "from": _utc(old), "to": _utc(new)}


def _utc(moment: datetime) -> str:
    return format_moment(moment.astimezone(UTC))
