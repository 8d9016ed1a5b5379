"""Play a history to the model and to a store, find the first difference, and shrink the history."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from beatd.catalog import Change
from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.stores.embedded.memory import MemoryStore
from tests.simulation.one_step import OneStepStore
from tests.stores.model.call import Call
from tests.stores.model.note_steps import identity
from tests.stores.model.plan_steps import begin
from tests.stores.model.recorder import Recorder, brief
from tests.stores.model.side import QUEUES, Side
from tests.stores.model.views import VIEWS

Fresh = Callable[[], Any]  # a store without content
VIEWS_AFTER_A_CALL = 6  # of all; after the last call all of them are compared


class Difference(Struct, frozen=True):
    """The first difference of the two stores, and the calls before it as text."""

    calls: Sequence[Call]
    told: Sequence[str]
    what: str
    model: str
    store: str

    def __str__(self) -> str:
        return "\n".join(
            [
                *self.told,
                f"differs: {self.what}",
                f"  model: {self.model}",
                f"  store: {self.store}",
            ]
        )


class Differs(Exception):
    pass


def first_difference(
    calls: Sequence[Call], fresh: Fresh, *, all_views: bool = False
) -> Difference | None:
    """Play the calls to a new model and a new store; return None if all answers are equal."""
    store = fresh()
    recorder = Recorder(OneStepStore(codec=codec, clock=SystemClock()))
    sides = [Side(recorder.model, abilities(store)), Side(store, abilities(store))]
    done = 0
    try:
        with closing(store):
            begin_both(sides)
            for done, call in enumerate(calls, 1):
                recorder.begin_call(call)
                compare(call.step, sides, lambda side, call=call: make(side, call))
                names = list(VIEWS)
                if not all_views and done < len(calls):
                    names = random.Random(call.seed).sample(names, VIEWS_AFTER_A_CALL)
                for name in names:
                    compare(name, sides, VIEWS[name])
    except Differs as differs:
        what, model, other = differs.args
        return Difference(calls[:done], recorder.lines, what, model, other)
    return None


def compare(what: str, sides: Sequence[Side], answer: Callable[[Side], Any]) -> None:
    answers = []
    for side in sides:
        try:
            answers.append(answer(side))
        except Exception as raised:  # nothing that is asked here may raise, in any store
            answers.append(f"raised {type(raised).__name__}: {raised}")
    if answers[0] != answers[1] or str(answers[0]).startswith("raised "):
        raise Differs(what, *apart(*answers))


def apart(model: Any, store: Any) -> tuple[str, str]:
    """Return the two answers as text; of two lists only what the other does not have."""
    if isinstance(model, list) and isinstance(store, list):
        left = [one for one in model if one not in store]
        right = [one for one in store if one not in model]
        if left or right:
            return f"{brief(left)}, of {len(model)}", f"{brief(right)}, of {len(store)}"
    return brief(model), brief(store)


def make(side: Side, call: Call) -> Any:
    side.begin_call(call.number, call.now)
    return call.function()(side, random.Random(call.seed))


def begin_both(sides: Sequence[Side]) -> None:
    for side in sides:
        side.store.write_identity(identity(random.Random(0)), None)
        begin(side, "first")
        side.store.write([Change("nobody", 1, None)])  # counts edits from 0, if it was emptied
        if "step" in side.abilities and not isinstance(side.store, MemoryStore):
            side.store._server.client.set(side.queue_key(QUEUES[-1]), "no list")


def abilities(store: Any) -> frozenset[str]:
    """Return what is not possible in every store, and is left out of both then."""
    return frozenset({"step"} if hasattr(store, "_scripts") else ())


@contextmanager
def closing(store: Any) -> Iterator[None]:
    try:
        yield
    finally:
        store.close()


def shrunk(found: Difference, fresh: Fresh) -> Difference:
    """Drop calls, at first many at once, as long as the two stores still differ."""
    found = first_difference(found.calls, fresh, all_views=True) or found
    size = len(found.calls) // 2
    while size:
        start = 0
        while start < len(found.calls):
            fewer = [*found.calls[:start], *found.calls[start + size :]]
            still = first_difference(fewer, fresh, all_views=True)
            if still is None:
                start += size
            else:
                found = still
        size //= 2
    return found
