"""What is read from each of the two stores, and must be equal."""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from msgspec.structs import replace

from beatd.catalog import Position, Query
from beatd.history import Record
from tests.stores.making import at, names, open_claims, past
from tests.stores.model.side import NAMES, QUEUES, Side, without_revision
from tests.stores.test_history_pages import pages

LATER = 10_000  # seconds after noon: after all plans


def rows(side: Side, **query: Any) -> list[Any]:
    return [without_revision(row) for row in side.store.find(Query(**query))]


def second_page(side: Side, order: Any) -> list[Any]:
    """The entries behind the first two."""
    first = list(side.store.find(Query(order=order, limit=2)))
    after = Position(first[-1].entry.name, first[-1].plan.due) if first else None
    return rows(side, order=order, after=after)


def upcoming(side: Side) -> list[Any]:
    return sorted((without_revision(row) for row in side.store.upcoming(100)), key=str)


def first_due(side: Side) -> list[Any]:
    return [row.plan.due for row in side.store.upcoming(2)]


def requests(side: Side) -> list[Any]:
    return [
        (replace(request, revision=0), without_revision(row))
        for request, row in side.store.requests(100)
    ]


def claims(side: Side) -> list[str]:
    return sorted(
        str(replace(claim, stored=without_revision(claim.stored)))
        for claim in open_claims(side.store)
    )


def old_claims(side: Side) -> list[Any]:
    found = side.store.unknowns(at(side.now - 10), 3)
    return [claim.claimed_at for claim in found]


def comparable(record: Record) -> str:
    late = None if record.late is None else round(record.late, 3)
    reason = "because" if record.state == "failed" else record.reason
    return str(replace(record, late=late, reason=reason))


def history(side: Side, name: str | None = None) -> list[str]:
    return sorted(map(comparable, past(side.store, name)))


def history_in_pages(side: Side, name: str | None, limit: int) -> list[str]:
    return sorted(map(comparable, chain(*pages(side.store, name, limit))))


def newest_records(side: Side) -> Any:
    found = side.store.newest_records(NAMES, 1000)
    return {name: sorted(map(comparable, records)) for name, records in found.items()}


def newest_are_first(side: Side) -> bool:
    """The newest two of each entry are the first two of its history."""
    few, all_ = (side.store.newest_records(NAMES, limit) for limit in (2, 1000))
    return all(list(few[name]) == list(records)[:2] for name, records in all_.items())


def copied_records(side: Side) -> list[str]:
    return sorted(comparable(written.record) for written in side.store.records(""))


def plans_before(side: Side) -> Any:
    return list(side.store.plans_before(at(side.now), 2)), list(
        side.store.plans_before(at(LATER), 100)
    )


def changes(side: Side, name: str | None, limit: int) -> list[Any]:
    return [replace(c, id="", at=at(0)) for c in side.store.changes(name, limit)]


def outcomes(side: Side) -> Any:
    ids = list(dict.fromkeys(run.task_id for run, _ in side.sent[-40:]))
    found = side.store.outcomes(ids)
    # Redis forgets the reports about a run together, and the other stores one by one.
    kept = {id: [str(one) for one in found.get(id, ()) if one.at >= side.forgotten] for id in ids}
    return {id: sorted(texts) for id, texts in kept.items() if texts}


def live_deliveries(side: Side) -> Any:
    return [one for one in side.store.live_deliveries(100) if one.at >= side.forgotten]


def incidents(side: Side) -> Any:
    return sorted(map(str, side.store.incidents(None, None)))


def leader(side: Side) -> Any:
    found = side.store.term()
    return found and (found[0].number, found[1])


def marks(side: Side) -> list[str]:
    return sorted(map(str, side.store.all_marks()))


def queues(side: Side) -> Any:
    return {name: side.queue(name) for name in QUEUES[:-1]} if "step" in side.abilities else None


VIEWS: Mapping[str, Callable[[Side], Any]] = {
    "entries": rows,
    "entries by their next run": lambda side: rows(side, order="next"),
    "the second page": lambda side: second_page(side, "name"),
    "the second page by the next run": lambda side: second_page(side, "next"),
    "paused entries": lambda side: names(side.store.find(Query(paused=True))),
    "entries of a source": lambda side: names(side.store.find(Query(source="yaml:a"))),
    "entries due soon": lambda side: names(side.store.find(Query(due_before=at(side.now)))),
    "entries that run": lambda side: names(side.store.find(Query(enabled=True))),
    "entries with a word": lambda side: names(side.store.find(Query(contains="AGAIN"))),
    "the number of entries": lambda side: side.store.count(),
    "the names that exist": lambda side: side.store.existing([*NAMES, "no entry"]),
    "pauses that end": lambda side: list(side.store.ending_pauses(at(side.now), 100)),
    "plans before a moment": plans_before,
    "changes": lambda side: changes(side, None, 1000),
    "changes of a": lambda side: changes(side, "a", 3),
    "upcoming runs": upcoming,
    "the first due moments": first_due,
    "requests": requests,
    "open claims": claims,
    "old open claims": old_claims,
    "the number of open claims": lambda side: side.store.open_claims(),
    "the history": history,
    "the history of a": lambda side: history(side, "a"),
    "the history in pages": lambda side: history_in_pages(side, None, 9),
    "the history of a in pages": lambda side: history_in_pages(side, "a", 2),
    "the newest records": newest_records,
    "whether the newest records come first": newest_are_first,
    "records as they are copied": copied_records,
    "running runs": lambda side: side.store.running(None),
    "running runs by name": lambda side: side.store.running(["b", "B", "none"]),
    "outcomes": outcomes,
    "outcomes of entries": lambda side: side.store.entry_outcomes(None),
    "outcomes of two entries": lambda side: side.store.entry_outcomes(["a", "ç 🐝"]),
    "entries that failed": lambda side: side.store.entry_outcomes_in({"failed", "lost"}),
    "live deliveries": live_deliveries,
    "incidents": incidents,
    "incidents of a": lambda side: [one.opened for one in side.store.incidents("a", 3)],
    "open incidents": lambda side: sorted(map(str, side.store.open_incidents())),
    "the newest leader": leader,
    "marks": marks,
    "daemons": lambda side: sorted(map(str, side.store.daemons())),
    "missing parts": lambda side: list(side.store.missing_parts(10, whole=True)),
    "queues": queues,
}
