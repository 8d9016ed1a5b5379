"""Which part of a run a task of a canvas is, so that reports about tasks show when the run ends.

The tasks of a canvas after which nothing follows are its ends, numbered from 0. A run has ended
when all its ends have. A task before them that fails ends all that follow it. All tasks are
numbered from 1, in the order of writing, so that people know which of them failed.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from msgspec import Struct

from beatd.canvas import Path
from beatd.entry import Step

HEADER = "beatd_part"  # of a message; its value is the text of a RunPart
_NUMBER = r"(\d{1,6})"
_TEXT = re.compile(rf"{_NUMBER}(?:\+{_NUMBER})?/{_NUMBER}:{_NUMBER}/{_NUMBER}", re.ASCII)
PARTS_REMEMBERED = 20_000  # each report about a task of a large group reads all parts of the run


class RunPart(Struct, frozen=True):
    """A task of a canvas: the ends from `first` on that depend on it, of all `ends` of the run.

    `follows` is their number, or 0 if the task is itself the end `first`. `number` is the place of
    the task among all `tasks`, from 1. As text, task 4 of 20 is "3/12:4/20" if it is an end, and
    "2+4/12:4/20" if it comes before the ends 2 to 5.
    """

    first: int
    follows: int
    ends: int
    number: int
    tasks: int

    def __str__(self) -> str:
        more = f"+{self.follows}" if self.follows else ""
        return f"{self.first}{more}/{self.ends}:{self.number}/{self.tasks}"

    def ended_by(self, state: str) -> range:
        """Return the ends of the run that are over when this task has ended in a state."""
        if not self.follows:
            return range(self.first, self.first + 1)
        return range(0) if state == "succeeded" else range(self.first, self.first + self.follows)


def delivery_id(random: str, part: str) -> str:
    """Return the id of a delivery of a canvas's task: a random text, with the part."""
    return f"{random}.{part}" if _TEXT.fullmatch(part) else random


def part_in(delivery: str) -> RunPart | None:
    """Return the part in the id of a delivery; None if the run is one task."""
    _, dot, text = delivery.partition(".")
    return _part_of(text) if dot else None


@lru_cache(PARTS_REMEMBERED)
def _part_of(text: str) -> RunPart | None:
    found = _TEXT.fullmatch(text)
    return RunPart(*(int(number or 0) for number in found.groups())) if found else None


def all_ended(ended: Iterable[tuple[RunPart, str]]) -> bool:
    """Return True if all ends of a run are over, by the parts that ended and their states."""
    over, ends = set[int](), 0
    for part, state in ended:
        ends = part.ends
        over.update(part.ended_by(state))
    return len(over) >= ends


def parts_of_run(canvas: Step) -> dict[Path, RunPart]:
    """Return the part of each task of a canvas, without links, by its path."""
    ends, places = _ends(canvas), list(_places(canvas, (), 0, None))
    return {
        path: RunPart(first, follows, ends, number, len(places))
        for number, (path, (first, follows)) in enumerate(places, 1)
    }


def _ends(step: Step) -> int:
    if step.chunks is not None:
        return -(-len(step.chunks.args) // step.chunks.size)
    if step.chain:
        return _ends(step.chain[-1])
    if step.chord is not None:
        return _ends(step.chord.body)
    if isinstance(step.group, Step):
        return _ends(step.group)
    return sum(map(_ends, step.group)) or 1


_Place = tuple[int, int]  # first and follows


def _places(
    step: Step, path: Path, first: int, after: _Place | None
) -> Iterator[tuple[Path, _Place]]:
    # `after` has the ends that follow the whole step; None if its own ends are ends of the run.
    if step.task and step.chunks is None:
        yield path, after or (first, 0)
    elif step.chunks is not None:
        for at in range(_ends(step)):
            yield (*path, at), after or (first + at, 0)
    elif step.chain:
        last = len(step.chain) - 1
        for at, part in enumerate(step.chain):
            own = after if at == last else after or (first, _ends(step))
            yield from _places(part, (*path, "chain", at), first, own)
    elif step.chord is not None:
        own = after or (first, _ends(step))
        for at, part in enumerate(step.chord.header):
            yield from _places(part, (*path, "chord", "header", at), first, own)
        yield from _places(step.chord.body, (*path, "chord", "body"), first, after)
    elif isinstance(step.group, Step):
        yield from _places(step.group, (*path, "group"), first, after)
    else:
        for at, part in enumerate(step.group):
            yield from _places(part, (*path, "group", at), first, after)
            first += _ends(part)
