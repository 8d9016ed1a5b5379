"""A store with something in each of its parts, and all that can be read from it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cache, partial
from typing import Any

from beatd.catalog import Query
from beatd.changes import Author, Pause
from beatd.errors import StoreError
from beatd.incident import Incident
from beatd.leader import Term
from beatd.marks import Mark, Marks
from beatd.outcome import Delivery
from beatd.presence import Presence
from beatd.run import Running
from tests.stores.making import (
    FOREVER,
    NOON,
    at,
    claimed,
    edit,
    entry,
    holder,
    lead,
    put_many,
    request_of,
    row,
    run_of,
    told,
)

NAMES = ("bad", "good", "idle")
ANN = Author("ann@host-1", "command", "because")


def fill(store: Any, names: Sequence[str] = NAMES) -> None:
    """Write entries, plans, claims, records, outcomes, incidents, changes and notes."""
    term = lead(store)
    put_many(store, names, -100)
    for name in names[:2]:
        run = claimed(store, row(store, name), term, following=-50)
        store.record([told(run)])
        times = {"received": at(0), "started": at(1), "finished": at(2)}
        store.write_outcomes(
            [Delivery(task_id=run.task_id, delivery="d", name=name, planned=run.occurrence.planned,
                      state="failed", at=at(2), worker="w", error="E: x", **times)],
            at(3),
        )  # fmt: skip
        live = run_of(store, row(store, name))
        claimed(store, row(store, name), term, following=-40)
        store.write_outcomes(
            [Delivery(task_id=live.task_id, delivery="d", name=name, planned=live.occurrence.planned, state="started", at=at(4), worker="w", started=at(4))],
            at(4),
        )  # fmt: skip
        store.add_requests([request_of(row(store, name))])
        store.write_mark(Mark(name, at(0), "digest"))
        store.put_incidents(
            [
                Incident(
                    kind="failed", name=name, opened=at(5), revision=1, observed="x", threshold="1"
                )
            ]
        )
        stored = row(store, name)
        edited = edit(stored, entry(name, args=[1]), author=ANN)
        store.write([edited])
        store.write_running({name: Running(live.task_id, at(4), at(900), waits=True)})
    for name in names[2:]:
        queued = entry(name, overlap="queue", max_run="60s")
        pause = Pause(at(0), "ann", at(500), "because")
        store.write([edit(row(store, name), queued, author=ANN, paused=True, pause=pause)])
        store.write_running({name: Running("run-of-it", at(4), at(900), waits=True)})
    store.announce(Presence(holder("me"), "leader", True, at(0)), 86_400 * 365 * 50)


Named = Iterator[tuple[str, Callable[[], Any]]]


def reads(store: Any, names: Sequence[str] = NAMES, times: int = 1) -> Named:
    """Yield each read of a store that has `times` as many rows as `fill` writes.

    The name of a read that is about one entry ends with ":ENTRY".
    """
    yield from reads_of_all(store, names, times)
    for name in names:
        yield from reads_of(store, name)


def reads_of_all(store: Any, names: Sequence[str] = NAMES, times: int = 1) -> Named:
    """Yield each read of the whole store, or of many entries at once."""
    few, many = 100 * times, 1000 * times
    for order in ("name", "next"):
        yield f"find by {order}", lambda order=order: list(store.find(Query(order=order)))
    for query in (
        Query(source="cli"),
        Query(name_like="b*"),
        Query(due_before=FOREVER),
        Query(names=tuple(names)),
        Query(task_like="p*"),
        Query(contains="x"),
        Query(paused=False),
    ):
        yield "find some", lambda query=query: list(store.find(query))
    yield "plans", lambda: list(store.plans_before(FOREVER, many))
    yield "upcoming", lambda: store.upcoming(few)
    yield "unknowns", lambda: list(store.unknowns(FOREVER, few))
    yield "requests", lambda: store.requests(few)
    yield "history", lambda: list(store.history(None, None))
    yield "page", lambda: store.history_page(None, few)
    yield "incidents", lambda: list(store.incidents(None, None))
    yield "changes", lambda: store.changes(None, few)
    yield "newest", lambda: store.newest_records(names, 5)
    yield "outcomes", lambda: store.entry_outcomes(None)
    yield "failing", lambda: store.entry_outcomes_in(["failed"])
    yield "running", lambda: store.running(None)
    yield "running of", lambda: store.running(list(names))
    yield "live", lambda: list(store.live_deliveries(few))
    yield "open", lambda: store.open_incidents()
    yield "pauses", lambda: store.ending_pauses(FOREVER, few)
    yield "marks", lambda: store.all_marks()
    yield "silences", lambda: Marks(store).silences()
    yield "daemons", lambda: store.daemons()
    yield "term", lambda: store.term()
    yield "records", lambda: list(store.records(""))
    yield "open claims", lambda: store.open_claims()
    yield "namespace", lambda: str(store.namespace)
    yield "count", lambda: store.count()
    yield "version", lambda: store.version()
    yield "missing", lambda: store.missing_parts(few, whole=True)
    yield "problems", lambda: store.problems()


def reads_of(store: Any, name: str) -> Named:
    """Yield each read that is about one entry."""
    yield f"history:{name}", lambda: list(store.history(name, None))
    yield f"page:{name}", lambda: store.history_page(name, 2)
    yield f"incidents:{name}", lambda: list(store.incidents(name, None))
    yield f"changes:{name}", lambda: store.changes(name, 100)
    yield f"mark:{name}", lambda: store.read_mark(name)


def writes(store: Any, names: Sequence[str] = NAMES, times: int = 1) -> Named:
    """Yield some writes of a leader and of an operator, as `reads` yields reads."""
    term = cache(partial(lead, store))
    for name in names:
        yield from writes_of(store, name, term)
    yield from writes_of_all(store, names, times)


def writes_of(store: Any, name: str, term: Callable[[], Term]) -> Named:
    """Yield the writes that are about one entry, by the leader with a term."""

    def run() -> None:
        for found in list(store.find(Query(names=(name,)))):
            if found.plan.planned is not None:
                run = claimed(store, found, term())
                store.record([told(run)])

    def outcome() -> None:
        begun = Delivery(
            task_id=f"x{name}", delivery="d", name=name, planned=NOON, state="started", at=NOON
        )
        store.write_outcomes([begun], NOON + timedelta(seconds=5))

    if name.startswith("good"):
        yield f"run:{name}", run
    else:
        yield f"outcome:{name}", outcome


def writes_of_all(store: Any, names: Sequence[str] = NAMES, times: int = 1) -> Named:
    """Yield the writes that change many entries at once. Those of `names` are claimed."""

    def claim() -> None:
        term = lead(store)
        for stored in store.upcoming(5 * times):
            if stored.plan.planned is not None and (times == 1 or stored.entry.name in names):
                with suppress(AssertionError, StoreError):  # the ledger may refuse it
                    claimed(store, stored, term)

    yield "claim", claim
    yield "forget", lambda: store.forget(at(-1000), 1_000_000)
    yield "forget changes", lambda: store.forget_changes(at(-1000), 1_000 * times)
    yield "forget incidents", lambda: store.forget_incidents(at(-1000))
