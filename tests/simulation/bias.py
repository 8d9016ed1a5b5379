"""What lives have for certain, where dice would decide: a rare case comes in most of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.operators import WISHES
from tests.simulation.some_entry import SCHEDULES


@dataclass(frozen=True)
class Bias:
    """What is None is decided by the dice of the seed."""

    overlap: bool = False  # most entries do not allow overlap, and there are workers
    rates: Mapping[str, float] = field(default_factory=dict)  # of faults
    schedules: Sequence[Mapping[str, Any]] = SCHEDULES
    wishes: Sequence[str] = WISHES  # of the operators
    edits_every_s: float | None = None  # at most
    nature: Sequence[str] | None = None  # kinds of what breaks servers
    clock: Sequence[str] | None = None  # kinds of what befalls the store's clock
    far: float | None = None  # at most so many seconds a question for the time takes beside
    losses: bool = False  # the store loses what it acknowledged
    stale: bool = False  # reads of the store lag
    batches: bool = False  # operators edit several entries at once
    one_redis: bool | None = None
    has_clock: bool | None = None
    batch: int | None = None


NONE = Bias()
