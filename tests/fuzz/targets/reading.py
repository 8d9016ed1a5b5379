"""A store with something in each of its parts, and all that can be read from it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from beatd.catalog import Query
from beatd.changes import Author, Pause
from beatd.errors import StoreError
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


def _of_kind(names: Sequence[str], *kinds: str) -> tuple[str, ...]:
    return tuple(name for name in names if name.startswith(kinds))


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
        paused = edit(stored, entry(name, args=[1]), author=ANN)
        store.write([paused])
        store.write_running({name: Running(live.task_id, at(4), at(900), waits=True)})
    for name in names[2:]:
        pause = Pause(NOON, "ann", FOREVER, "because")
        store.write([edit(row(store, name), entry(name), paused=True, pause=pause)])
    store.announce(Presence(holder("me"), "leader", True, at(0)), 86_400 * 365 * 50)


def reads(
    store: Any, names: Sequence[str] = NAMES, times: int = 1
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield each read of a store that has `times` as many rows as `fill` writes.

    What is read entry by entry is read for `names`; the name of such a read ends with ":NAME".
    """
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
    for name in (None, *_of_kind(names, "bad", "good")):
        yield (
            f"history of {name}" if name else "history",
            lambda name=name: list(store.history(name, None)),
        )
        yield (
            f"page of {name}" if name else "page",
            lambda name=name: store.history_page(name, 2 * times),
        )
        yield (
            f"incidents of {name}" if name else "incidents",
            lambda name=name: list(store.incidents(name, None)),
        )
        yield (
            f"changes of {name}" if name else "changes",
            lambda name=name: store.changes(name, few),
        )
    yield "newest", lambda: store.newest_records(names, 5)
    yield "outcomes", lambda: store.entry_outcomes(None)
    yield "failing", lambda: store.entry_outcomes_in(["failed"])
    yield "running", lambda: store.running(None)
    yield "running of", lambda: store.running(list(names))
    yield "live", lambda: list(store.live_deliveries(few))
    yield "open", lambda: store.open_incidents()
    yield "pauses", lambda: store.ending_pauses(FOREVER, few)
    yield "marks", lambda: store.all_marks()
    for name in _of_kind(names, "bad"):
        yield f"mark:{name}", lambda name=name: store.read_mark(name)
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


def writes(
    store: Any, names: Sequence[str] = NAMES, times: int = 1
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield some writes of a leader and of an operator, as `reads` yields reads."""

    def run_good(name: str) -> None:
        term = lead(store)
        for found in list(store.find(Query(names=(name,)))):
            if found.plan.planned is not None:
                run = claimed(store, found, term)
                store.record([told(run)])

    def run_bad() -> None:
        term = lead(store)
        for stored in store.upcoming(5 * times):
            if stored.plan.planned is not None and (times == 1 or stored.entry.name in names):
                with suppress(AssertionError, StoreError):  # the ledger may refuse it
                    claimed(store, stored, term)

    def outcome_of(name: str) -> None:
        begun = Delivery(
            task_id=f"x{name}", delivery="d", name=name, planned=NOON, state="started", at=NOON
        )
        store.write_outcomes([begun], NOON + timedelta(seconds=5))

    for name in _of_kind(names, "good"):
        yield f"run:{name}", lambda name=name: run_good(name)
    yield "bad", run_bad
    for name in _of_kind(names, "bad"):
        yield f"outcome:{name}", lambda name=name: outcome_of(name)
    yield "forget", lambda: store.forget(at(-1000), 1_000_000)
    yield "forget changes", lambda: store.forget_changes(at(-1000), 1_000 * times)
    yield "forget incidents", lambda: store.forget_incidents(at(-1000))
