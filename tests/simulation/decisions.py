"""What a seed decides while a life goes on, as a list that a life can be played from."""

from pathlib import Path

import msgspec
from msgspec import Struct

MICROS = 1_000_000
#: Draws of an actor before its first wait, an action of it, and the moment at which it ended.
BEGINS, ACTS, ENDS = "begins", "acts", "ends"
Draw = tuple[str, float]  # the method of `Random`, and what it returned; of a choice, the index


class Decision(Struct, frozen=True):
    """A fault of a call or a message, or one action of an actor, such as an operator."""

    at: int  # microseconds from the start
    who: str  # the host, the entry of a message, or the actor
    what: str  # "crash", "slow 2.5", "unknown, lost", or of an actor one of the above
    where: str = ""  # "after store.claim", "message"
    draws: list[Draw] = []


class Script(Struct, frozen=True):
    """A life: its seed, and of what the seed decides, what is left."""

    seed: int
    overlap: bool
    decisions: tuple[Decision, ...]
    pauses: dict[str, list[float]] = {}  # of a host's calls, in turn; none: each takes 1 ms
    detours: dict[str, list[float]] = {}  # of a host's questions for the time, in turn
    needs: str = ""  # the planted bug whose needs its lives have for certain
    without: frozenset[str] = frozenset()  # entries, and hosts
    no_mischief: bool = False  # workers die and report as they should
    storm_s: float | None = None  # None: as long as the seed says

    @property
    def faults(self) -> list[Decision]:
        """The decisions that may be taken out."""
        return [one for one in self.decisions if one.what not in (BEGINS, ENDS)]

    def only(self, faults: list[Decision]) -> "Script":
        others = [one for one in self.decisions if one.what in (BEGINS, ENDS)]
        return msgspec.structs.replace(self, decisions=(*others, *faults))

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1))

    @staticmethod
    def read(path: Path) -> "Script":
        return msgspec.json.decode(path.read_bytes(), type=Script)
