"""Put skipped runs at their places among the other runs of their entries, for a table."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from beatd.planning import LATE_REASONS

Item = dict[str, Any]  # a history record as `record_json` returns it


def skips_in_order(items: Sequence[Item]) -> list[Item]:
    """Return history records with each skip below all later runs of its entry.

    `items` has the record written last first. The skip of a run that was claimed before an outage
    is written some seconds after it, when later runs were published. Published runs stay in the
    order in which they were published. Missed runs of one entry that then follow each other become
    one record if they have the same reason.
    """
    ordered = list[Item]()
    for item in reversed(items):  # the oldest first, so that `ordered` ends with the newest
        place = len(ordered)
        if item["state"] == "skipped":
            place = _place(ordered, item)
        ordered.insert(place, item)
    return _joined(ordered)[::-1]


def _place(ordered: Sequence[Item], skip: Item) -> int:
    # Records of other entries may lie in between.
    place, planned = len(ordered), _moment(skip["planned"])
    for at in range(len(ordered) - 1, -1, -1):
        if ordered[at]["entry"] == skip["entry"]:
            if _moment(ordered[at]["planned"]) <= planned:
                break
            place = at
    return place


def _joined(ordered: Sequence[Item]) -> list[Item]:
    # `ordered` has the oldest first.
    joined = list[Item]()
    newest = dict[str, int]()  # entry -> the place of its newest record in `joined`
    for item in ordered:
        at = newest.get(item["entry"])
        if at is not None and _is_one_outage(joined[at], item):
            joined[at] = _one(joined[at], item)
        else:
            newest[item["entry"]] = len(joined)
            joined.append(item)
    return joined


def _is_one_outage(older: Item, newer: Item) -> bool:
    are_skips = older["state"] == newer["state"] == "skipped"
    reason: str = newer["reason"]
    return are_skips and bool(older["reason"] == reason) and reason.startswith(LATE_REASONS)


def _one(older: Item, newer: Item) -> Item:
    last: str = max(_end(older), _end(newer), key=_moment)
    count = older.get("count", 1) + newer.get("count", 1)
    at_least = {"at_least": True} if "at_least" in older or "at_least" in newer else {}
    return {**older, "until": last, "count": count, **at_least}


def _end(skip: Item) -> str:
    end: str = skip["until"] if "until" in skip else skip["planned"]
    return end


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
