"""The runs of tasks, by their own notes: which ran at once, and how long an entry stood still."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace


class Ran(Struct, frozen=True):
    """One execution of a task. `killed` is True if its process was killed before it ended; `end` is
    then the time of the kill. `end` None: it runs still."""

    entry: str
    task_id: str
    pid: int
    start: float
    end: float | None = None
    killed: bool = False


def runs_of(
    lines: Iterable[str], killed: Mapping[int, float], gone: Mapping[int, float]
) -> list[Ran]:
    """Return the executions that the lines note, by their start.

    `killed` has the time at which each process was killed, `gone` that at which it was last seen
    alive, such as the process of a task that was revoked.
    """
    found: dict[tuple[str, int], Ran] = {}
    done: list[Ran] = []
    for line in lines:
        what, entry, task_id, pid, at = line.split()
        key = task_id, int(pid)
        if what == "start":
            if key in found:
                done.append(found.pop(key))
            found[key] = Ran(entry, task_id, int(pid), float(at))
        else:
            done.append(replace(found.pop(key), end=float(at)))
    for one in found.values():
        at_kill, at_end = killed.get(one.pid), gone.get(one.pid)
        was_gone = at_end is not None and one.start <= at_end <= (at_kill or at_end)
        if was_gone:  # a zombie can be killed, too
            one = replace(one, end=at_end)
        elif at_kill is not None and at_kill >= one.start:
            one = replace(one, end=at_kill, killed=True)
        done.append(one)
    return sorted(done, key=lambda one: one.start)


class Found(Struct, frozen=True):
    """`at_once` are pairs of different runs of one entry at the same time; `delivered_twice` are
    pairs of the same run. `freed_after` has the seconds from each kill to the entry's next start.
    `stuck` are entries that did not start again."""

    runs: int
    at_once: tuple[tuple[Ran, Ran], ...]
    delivered_twice: tuple[tuple[Ran, Ran], ...]
    freed_after: tuple[float, ...]
    stuck: tuple[str, ...]


def judge(
    runs: Iterable[Ran],
    entries: Iterable[str],
    *,
    now: float,
    silent_s: float,
    delivered_again: Collection[str] = (),
) -> Found:
    """Judge the runs of these entries at the time `now`.

    An entry is stuck if its last start is more than `silent_s` ago. `delivered_again` are the ids
    of runs whose message the broker delivered more than once, perhaps after the run was lost.
    """
    of_entry: dict[str, list[Ran]] = defaultdict(list)
    for one in runs:
        of_entry[one.entry].append(one)
    at_once, twice, freed, stuck = [], [], [], []
    again_ids = set(delivered_again)
    for entry in entries:
        mine = of_entry[entry]
        for place, one in enumerate(mine):
            later = (other for other in mine[place + 1 :])
            end = now if one.end is None else one.end
            for other in later:
                if other.start >= end:
                    break
                again = other.task_id == one.task_id or {one.task_id, other.task_id} & again_ids
                (twice if again else at_once).append((one, other))
            if one.killed:
                following = [other.start for other in mine[place + 1 :] if other.start >= end]
                if following:
                    freed.append(following[0] - end)
        if not mine or now - mine[-1].start > silent_s:
            stuck.append(entry)
    count = sum(len(of_entry[entry]) for entry in entries)
    return Found(count, tuple(at_once), tuple(twice), tuple(sorted(freed)), tuple(stuck))
