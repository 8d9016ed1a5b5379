"""Eight processes add, edit, claim, record and remove the same entries at once."""

import multiprocessing
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from beatd.catalog import Change, Query
from beatd.leader import Term
from beatd.store import Store
from tests.stores.making import at, entry, lead, open_claims, past, plan, put_many, step, told

WORKERS = 8


def rush(place: Callable[[], Store], me: int, term: Term, rounds: int, answers: Any) -> None:
    edits: Counter[str] = Counter()
    claims: list[tuple[str, Any]] = []
    try:
        store, chance = place(), random.Random(me)
        for n in range(rounds):
            add_or_remove(store, f"come-{chance.randint(0, 20)}", n * WORKERS + me)
            name = f"stay-{chance.randint(0, 20)}"
            patch(store, name, f"by-{me}")
            edits[name] += 1
            claims += claim_some(store, term, n, chance)
        store.close()
        answers.put((edits, claims, ""))
    except BaseException as error:
        answers.put((edits, claims, repr(error)))
        raise


def add_or_remove(store: Store, name: str, n: int) -> None:
    found = next(iter(store.find(Query(names=(name,)))), None)
    if found is None:
        store.write([Change(name, 0, entry(name), plan(10_000 + n))])
    else:
        store.write([Change(name, found.revision, None)])


def patch(store: Store, name: str, key: str) -> None:
    """One more under my own key, whatever others do to theirs meanwhile."""
    while True:
        (found,) = store.find(Query(names=(name,)))
        kwargs = {**found.entry.kwargs, key: found.entry.kwargs.get(key, 0) + 1}
        if store.write([Change(name, found.revision, entry(name, kwargs=kwargs))])[0]:
            return


def claim_some(store: Store, term: Term, n: int, chance: random.Random) -> list[tuple[str, Any]]:
    rows = [row for row in store.upcoming(15) if chance.random() < 0.7]
    moves = []
    for row in rows:
        assert row.plan.planned is not None
        following = row.plan.planned.timestamp() - at(0).timestamp() + 1
        moves.append(step(store, row, following))
    made = store.claim(moves, term, at(n))
    runs = [move.run for move, ok in zip(moves, made, strict=True) if ok and move.run]
    store.record([told(run, when=n + 1) for run in runs if chance.random() < 0.8])
    return [(run.occurrence.name, run.occurrence.planned) for run in runs]


@pytest.mark.parametrize(
    "rounds", [15, pytest.param(1000, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
)
def test_eight_processes_lose_nothing_and_claim_nothing_twice(
    place: Callable[[], Store], request: pytest.FixtureRequest, rounds: int
) -> None:
    if "memory" in request.node.name:
        pytest.skip("one process is all that sees it")
    store = place()
    term = lead(store)
    put_many(store, [f"stay-{n}" for n in range(21)])
    store.close()  # no open connection is shared with the children
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    workers = [
        context.Process(target=rush, args=(place, n, term, rounds, answers)) for n in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    told_by_all = [answers.get() for _ in workers]
    for worker in workers:
        worker.join()
    assert [trouble for _, _, trouble in told_by_all if trouble] == []

    store = place()
    rows = {row.entry.name: row for row in store.find(Query())}
    edits, claims = Counter[str](), Counter[tuple[str, Any]]()
    for edited, claimed, _ in told_by_all:
        edits.update(edited)
        claims.update(claimed)
    assert max(claims.values()) == 1
    for n in range(21):
        row = rows[f"stay-{n}"]
        assert sum(row.entry.kwargs.values()) == edits[row.entry.name]
        assert row.runs == sum(name == row.entry.name for name, _ in claims)
    states = Counter(record.state for record in past(store))
    assert states["published"] + states["claimed"] == len(claims)
    assert states["claimed"] == len(open_claims(store))
