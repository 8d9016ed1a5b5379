"""Which part of a run a task of a canvas is, so that reports about tasks show when the run ends.

The tasks of a canvas after which no task follows, or only one that waits for others as well, are
its ends, numbered from 0. A run has ended when all its ends are over. A task that fails ends all
that follow it. All tasks are numbered from 1, in the order of writing, so that people know which of
them failed.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from msgspec import Struct

from beatd.canvas import Path, ends_in_group, parts_of
from beatd.entry import Step

HEADER = "beatd_part"  # of a message; its value is the text of a RunPart
TEXT_MAX_CHARS = 46  # with its dot and a random text of 16 characters, the id of a delivery has 63
_NUMBER = r"(?:0|[1-9][0-9]{0,5})"
_RANGE = rf"{_NUMBER}\+{_NUMBER}"
_TEXT = re.compile(rf"({_NUMBER}|{_RANGE})((?:,{_RANGE})*)/({_NUMBER}):({_NUMBER})/({_NUMBER})")
PARTS_REMEMBERED = 20_000  # each report about a task of a large group reads all parts of the run

EndRange = tuple[int, int]  # the first end and how many


class RunPart(Struct, frozen=True):
    """A task of a canvas: its place among all ends of the run, and among all tasks.

    `end` is the end that the task itself is, or None. `following` has the ends after it. `ends` is
    the number of all ends. `number` is the place of the task among all `tasks`, from 1.
    As text, task 4 of 20 is "3/12:4/20" if it is the end 3 and nothing follows, "2+4/12:4/20" if it
    comes before the ends 2 to 5, and "3,8+1/12:4/20" if it is an end and the end 8 waits for it.
    """

    end: int | None
    following: tuple[EndRange, ...]
    ends: int
    number: int
    tasks: int

    def __str__(self) -> str:
        own = [] if self.end is None else [str(self.end)]
        ranges = [f"{first}+{count}" for first, count in self.following]
        return f"{','.join(own + ranges)}/{self.ends}:{self.number}/{self.tasks}"


def delivery_id(random: str, part: str) -> str:
    """Return the id of a delivery of a canvas's task: a random text, with the part."""
    return f"{random}.{part}" if _part_of(part) is not None else random


def part_in(delivery: str) -> RunPart | None:
    """Return the part in the id of a delivery; None if the run is one task."""
    _, dot, text = delivery.partition(".")
    return _part_of(text) if dot else None


@lru_cache(PARTS_REMEMBERED)
def _part_of(text: str) -> RunPart | None:
    found = _TEXT.fullmatch(text) if len(text) <= TEXT_MAX_CHARS else None
    if found is None:
        return None
    first, more, *numbers = found.groups()
    end = None if "+" in first else int(first)
    ranges = [one for one in (first, *more.split(",")) if "+" in one]
    following = tuple((int(one), int(count)) for one, count in (r.split("+") for r in ranges))
    return RunPart(end, following, *map(int, numbers))


def all_ended(ended: Iterable[tuple[RunPart, str]]) -> bool:
    """Return True if all ends of a run are over, by the parts that ended and their states.

    A part has several states if its message was delivered several times. If one of them is
    "succeeded", Celery has sent the tasks that follow.
    """
    succeeded = dict[RunPart, bool]()
    for part, state in ended:
        succeeded[part] = succeeded.get(part, False) or state == "succeeded"
    over, unreached, ends = set[int](), set[EndRange](), 0
    for part, has_succeeded in succeeded.items():
        ends = part.ends
        if part.end is not None:
            over.add(part.end)
        if not has_succeeded:
            unreached.update(part.following)  # the same of all tasks of a header
    for first, count in unreached:
        over.update(range(first, first + count))
    return len(over) >= ends


def parts_of_run(canvas: Step) -> dict[Path, RunPart]:
    """Return the part of each task of a canvas, without links, by its path."""
    parts = _parts(canvas, headers_end=True)
    if any(len(str(part)) > TEXT_MAX_CHARS for part in parts.values()):
        # Chords in the headers of chords in headers. Without ends of their own, the tasks of
        # headers have short texts; but a chord that fails does not wait for its whole header.
        return _parts(canvas, headers_end=False)
    return parts


def _parts(canvas: Step, *, headers_end: bool) -> dict[Path, RunPart]:
    ends = _Ends(headers_end)
    count, places = ends.count(canvas, True), list(ends.places(canvas, True, (), 0, ()))
    return {
        path: RunPart(end, _merged(following), count, number, len(places))
        for number, (path, end, following) in enumerate(places, 1)
    }


def _merged(ranges: Iterable[EndRange]) -> tuple[EndRange, ...]:
    merged = list[EndRange]()
    for first, count in ranges:
        if merged and sum(merged[-1]) == first:
            merged[-1] = (merged[-1][0], merged[-1][1] + count)
        elif count:
            merged.append((first, count))
    return tuple(merged)


class _Ends:
    """Numbers the ends of steps. Of a step, `ends` is True if its last tasks are ends of the run.

    `headers_end` is True if the tasks of a chord's header are ends, for which its body waits.
    """

    def __init__(self, headers_end: bool) -> None:
        self._headers_end = headers_end

    def count(self, step: Step, ends: bool) -> int:
        """Return the number of ends in a step."""
        if step.task:
            return _messages(step) if ends else 0
        return sum(self.count(part, is_end) for _, part, is_end in self._parts_of(step, ends))

    def places(
        self, step: Step, ends: bool, path: Path, first: int, after: tuple[EndRange, ...]
    ) -> Iterator[tuple[Path, int | None, tuple[EndRange, ...]]]:
        """Yield each task of a step: its path, its end or None, and the ends that follow it.

        The ends of the step begin with `first`, and those in `after` follow the whole step.
        """
        if step.task:
            for at in range(_messages(step)):
                place = path if step.chunks is None else (*path, at)
                yield place, first + at if ends else None, after
            return
        parts = list(self._parts_of(step, ends))
        end_of_step = first + self.count(step, ends)
        body_at = end_of_step - self.count(parts[-1][1], parts[-1][2])
        for below, part, is_end in parts:
            next_first = first + self.count(part, is_end)
            if below[0] == "group" or below[-1] == "body":
                follows = after
            elif below[0] == "chain":
                follows = ((next_first, end_of_step - next_first), *after)
            else:
                follows = ((body_at, end_of_step - body_at), *after)
            yield from self.places(part, is_end, (*path, *below), first, follows)
            first = next_first

    def _parts_of(self, step: Step, ends: bool) -> Iterator[tuple[Path, Step, bool]]:
        """Yield the path of each direct part of a step, the part, and whether it has ends."""
        last = len(step.chain) - 1
        for below, part in parts_of(step):
            if below[0] == "chain" and below[1] != last:
                yield below, part, self._headers_end and ends_in_group(part)
            elif "header" in below:
                yield below, part, self._headers_end
            else:
                yield below, part, ends


def _messages(step: Step) -> int:
    return 1 if step.chunks is None else -(-len(step.chunks.args) // step.chunks.size)
