"""What lies between a daemon and a Redis that is its store and its broker: a step is one call."""

from collections.abc import Callable, Sequence
from datetime import datetime

from beatd.errors import BeatError, StoreError
from beatd.leader import Term
from beatd.ledger import Move
from beatd.publisher import Outcome, Push
from beatd.run import Run
from tests.simulation.broker_wires import Broker, PublisherWire
from tests.simulation.wires import StoreWire, Wire


class RedisWire(StoreWire):
    def __init__(self, wire: Wire, broker: Broker, tells: bool) -> None:
        super().__init__(wire, tells)
        self._broker = broker

    def step(self, moves: Sequence[Move], pushes: Sequence[Sequence[Push]]) -> "StepWire":
        return StepWire(self._wire, self._broker, moves)


class StepWire:
    """Sent when it begins; where the connection breaks before the answer, it is sent once more."""

    def __init__(self, wire: Wire, broker: Broker, moves: Sequence[Move]) -> None:
        self._wire, self._broker, self._moves = wire, broker, moves
        self._answer: Sequence[Outcome | None] | BeatError | None = None

    def send_ahead(self) -> None: ...

    def drop(self) -> None: ...

    def begin(self, term: Term, at: datetime) -> Callable[[], Sequence[Outcome | None]]:
        self._term, self._at = term, at
        if self._wire.pass_by("store.step") != "error":
            self._have_effect()
        return self._outcomes

    def _outcomes(self) -> Sequence[Outcome | None]:
        lost = self._wire.pass_by("store.step", answered=True) == "lost"
        if self._answer is None or lost:
            self._wire.world.seen["a step was tried again"] += 1
            if self._wire.pass_by("store.step") == "error":
                raise self._unanswered("connection refused")
            self._have_effect()
            if self._wire.pass_by("store.step", answered=True) == "lost":
                raise self._unanswered("the connection was lost")
        assert self._answer is not None
        if isinstance(self._answer, BeatError):
            raise self._answer
        return self._answer

    def _unanswered(self, reason: str) -> StoreError:
        ids = {move.run.task_id for move in self._moves if move.run is not None}
        self._wire.truth.losses.unanswered |= ids
        return StoreError(f"store.step: {reason}")

    def _have_effect(self) -> None:
        store = self._wire.truth.store
        try:
            self._answer = store.step(self._moves, self._push, self._term, self._at)
        except BeatError as refusal:
            self._answer = refusal

    def _push(self, run: Run) -> Outcome:
        return self._broker.push(self._wire, run)


class ListsWire(PublisherWire):
    """A publisher whose messages end on lists, but for those that no list may take."""

    def pushes(self, runs: Sequence[Run]) -> Sequence[Sequence[Push] | Outcome]:
        return [
            Outcome("unsent", "it is not told in pushes")
            if run.entry.task in ("poison", "group") or run.entry.options
            else [Push("celery", run.task_id.encode())]
            for run in runs
        ]

    def server(self) -> None: ...

    def asked(self) -> bool:
        return True

    def reachable(self) -> bool:
        """The store's own server is asked, and is away when that is."""
        return self._wire.pass_by("store.ping") != "error"
