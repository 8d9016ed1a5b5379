"""A store with something in each of its parts, and all that can be read from it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from beatd.catalog import Query
from beatd.changes import Author
from beatd.incident import Incident
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


def fill(store: Any) -> None:
    """Write entries, plans, claims, records, outcomes, incidents, changes and notes."""
    term = lead(store)
    put_many(store, NAMES, -100)
    for name in ("bad", "good"):
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
        store.write_running({name: Running(live.task_id, at(4), at(900), waits=True)})
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
        paused = edit(stored, entry(name, args=[1]), author=ANN)
        store.write([paused])
    store.announce(Presence(holder("me"), "leader", True, at(0)), 86_400 * 365 * 50)


def reads(store: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield each read of a store by name."""
    for order in ("name", "next"):
        yield f"find by {order}", lambda order=order: list(store.find(Query(order=order)))
    for query in (
        Query(source="cli"),
        Query(name_like="b*"),
        Query(due_before=FOREVER),
        Query(names=NAMES),
        Query(task_like="p*"),
        Query(contains="x"),
        Query(paused=False),
    ):
        yield "find some", lambda query=query: list(store.find(query))
    yield "plans", lambda: list(store.plans_before(FOREVER, 1000))
    yield "upcoming", lambda: store.upcoming(100)
    yield "unknowns", lambda: list(store.unknowns(FOREVER, 100))
    yield "requests", lambda: store.requests(100)
    for name in (None, *NAMES[:2]):
        yield "history", lambda name=name: list(store.history(name, None))
        yield "page", lambda name=name: store.history_page(name, 2)
        yield "incidents", lambda name=name: list(store.incidents(name, None))
        yield "changes", lambda name=name: store.changes(name, 100)
    yield "newest", lambda: store.newest_records(NAMES, 5)
    yield "outcomes", lambda: store.entry_outcomes(None)
    yield "failing", lambda: store.entry_outcomes_in(["failed"])
    yield "running", lambda: store.running(None)
    yield "running of", lambda: store.running(list(NAMES))
    yield "live", lambda: list(store.live_deliveries(100))
    yield "open", lambda: store.open_incidents()
    yield "pauses", lambda: store.ending_pauses(FOREVER, 100)
    yield "marks", lambda: store.all_marks()
    yield "mark", lambda: store.read_mark("bad")
    yield "silences", lambda: Marks(store).silences()
    yield "daemons", lambda: store.daemons()
    yield "term", lambda: store.term()
    yield "records", lambda: list(store.records(""))
    yield "open claims", lambda: store.open_claims()
    yield "namespace", lambda: str(store.namespace)
    yield "count", lambda: store.count()
    yield "version", lambda: store.version()
    yield "missing", lambda: store.missing_parts(100, whole=True)
    yield "problems", lambda: store.problems()


def writes(store: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield some writes of a leader and of an operator."""

    def run_good() -> None:
        term = lead(store)
        found = list(store.find(Query(names=("good",))))
        if found and found[0].plan.planned is not None:
            run = claimed(store, found[0], term)
            store.record([told(run)])

    def run_bad() -> None:
        term = lead(store)
        for stored in store.upcoming(5):
            if stored.plan.planned is not None:
                try:
                    claimed(store, stored, term)
                except AssertionError:
                    continue  # the ledger may refuse it

    yield "good", run_good
    yield "bad", run_bad
    yield (
        "outcome",
        lambda: store.write_outcomes(
            [
                Delivery(
                    task_id="x", delivery="d", name="bad", planned=NOON, state="started", at=NOON
                )
            ],
            NOON + timedelta(seconds=5),
        ),
    )
    yield "forget", lambda: store.forget(at(-1000), 1_000_000)
    yield "forget changes", lambda: store.forget_changes(at(-1000), 1_000)
    yield "forget incidents", lambda: store.forget_incidents(at(-1000))
