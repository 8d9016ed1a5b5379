"""Compare two sets of entries: which entries change, and which of their runs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from beatd.definition.arguments import same
from beatd.entry import Entry, Schedule
from beatd.planning import fingerprint
from beatd.schedules.clock_nights import ClockNight, clock_nights
from beatd.views.run_changes import RunChanges, Runs, run_changes, runs_at, runs_between

RUNS_COMPARED_MAX = 400_000
HERD_RUNS_MIN = 20  # more in one second than before
HERDS_COUNTED_MAX = 10
OFTEN_FACTOR = 3
CLOCK_CHANGES_WITHIN = timedelta(days=366)


class EntryChange(Struct, frozen=True):
    """One entry that differs between the sets; `before` or `after` is None if one does not have it.

    `runs` is None if the change does not concern when the entry runs, and also if `is_counted` is
    False: then there were too many runs before those of this entry. `nights` has what clock changes
    will do, and did not before.
    """

    name: str
    before: Entry | None
    after: Entry | None
    runs: RunChanges | None
    is_counted: bool
    nights: tuple[ClockNight, ...]

    @property
    def newer(self) -> Entry:
        """The new definition, or the old one of an entry that is gone."""
        entry = self.after or self.before
        assert entry is not None, "one of the sets has it"
        return entry

    @property
    def far_more_often(self) -> bool:
        """True if a changed entry has at least OFTEN_FACTOR times as many runs as before."""
        runs = self.runs
        return runs is not None and 0 < runs.before * OFTEN_FACTOR <= runs.after

    @property
    def far_less_often(self) -> bool:
        """True if a changed entry had at least OFTEN_FACTOR times as many runs before."""
        runs = self.runs
        return runs is not None and 0 < runs.after * OFTEN_FACTOR <= runs.before


class Herd(Struct, frozen=True):
    """A second with many runs that it did not have before."""

    moment: datetime
    before: int
    after: int


class SetChanges(Struct, frozen=True):
    """The differences between two sets of entries, and of their runs from `since` to `end`.

    `herds` has the densest seconds; `more_herds` counts the others.
    """

    since: datetime
    end: datetime
    entries: tuple[EntryChange, ...]
    unchanged: int
    herds: tuple[Herd, ...]
    more_herds: int

    def of(self, *, before: bool, after: bool) -> list[EntryChange]:
        """Return the changes of the entries that are in the old set or not, and in the new one."""
        return [
            one
            for one in self.entries
            if ((one.before is not None), (one.after is not None)) == (before, after)
        ]


def set_changes(
    old: Sequence[Entry], new: Sequence[Entry], since: datetime, end: datetime
) -> SetChanges:
    """Compare two sets of entries, and their runs later than `since`, up to `end`.

    Owner, file and line of an entry do not count. After RUNS_COMPARED_MAX runs, those of further
    entries are not compared.
    """
    before, after = _by_name(old), _by_name(new)
    computed = _Computed(since, end)
    changes: list[EntryChange] = []
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if one is None or other is None or not same(one, other):
            changes.append(_entry_change(name, one, other, computed))
    herds, more_herds = _herds(changes, new)
    unchanged = len(before.keys() | after.keys()) - len(changes)
    return SetChanges(since, end, tuple(changes), unchanged, herds, more_herds)


def _by_name(entries: Sequence[Entry]) -> Mapping[str, Entry]:
    return {entry.name: replace(entry, source="", declared_at="") for entry in entries}


_Key = tuple[Schedule, datetime | None, datetime | None, int | None, bool]


class _Computed:
    """Computes the runs of entries, until RUNS_COMPARED_MAX were returned.

    Entries with equal times share one computation.
    """

    def __init__(self, since: datetime, end: datetime) -> None:
        self.since, self.end = since, end
        self._known: dict[_Key, Runs] = {}
        self._total = 0

    def runs_of(self, entry: Entry | None) -> Runs | None:
        """Return the runs of the entry in the range, or None if too many were returned before."""
        if entry is None:
            return runs_between(None, self.since, self.end)
        if self._total >= RUNS_COMPARED_MAX:
            return None
        key = (entry.schedule, entry.start, entry.end, entry.max_runs, entry.enabled)
        if key not in self._known:
            self._known[key] = runs_between(entry, self.since, self.end)
        self._total += 1 + len(self._known[key].moments)
        return self._known[key]


def _entry_change(
    name: str, old: Entry | None, new: Entry | None, computed: _Computed
) -> EntryChange:
    if old is not None and new is not None and _when(old) == _when(new):
        return EntryChange(name, old, new, None, is_counted=True, nights=())
    before, after = computed.runs_of(old), computed.runs_of(new)
    nights = tuple(_new_nights(old, new, computed))
    if before is None or after is None:
        return EntryChange(name, old, new, None, is_counted=False, nights=nights)
    return EntryChange(name, old, new, run_changes(before, after), is_counted=True, nights=nights)


def _when(entry: Entry) -> tuple[str, bool, int | None]:
    return fingerprint(entry), entry.enabled, entry.max_runs


def _new_nights(old: Entry | None, new: Entry | None, computed: _Computed) -> Iterator[ClockNight]:
    if new is None or not new.enabled:
        return
    known = set() if old is None or not old.enabled else set(_nights(old, computed))
    yield from (night for night in _nights(new, computed) if night not in known)


def _nights(entry: Entry, computed: _Computed) -> Iterator[ClockNight]:
    since, until = computed.since, max(computed.end, computed.since + CLOCK_CHANGES_WITHIN)
    if entry.start is not None:
        since = max(since, entry.start)
    if entry.end is not None:
        until = min(until, entry.end)
    return clock_nights(entry.schedule, since, until)


def _herds(changes: Sequence[EntryChange], new: Sequence[Entry]) -> tuple[tuple[Herd, ...], int]:
    rise: Counter[datetime] = Counter()
    for change in changes:
        if change.runs is not None:
            rise.update(_second(one) for one in change.runs.added)
            rise.subtract(_second(one) for one in change.runs.gone)
            rise.update(_second(one) for _, one in change.runs.moved)
            rise.subtract(_second(one) for one, _ in change.runs.moved)
    dense = [(-many, moment) for moment, many in rise.items() if many >= HERD_RUNS_MIN]
    densest = sorted(dense)[:HERDS_COUNTED_MAX]
    groups: Counter[tuple[Schedule, datetime | None, datetime | None]] = Counter(
        (entry.schedule, entry.start, entry.end) for entry in new if entry.enabled
    )
    found = []
    for fewer, moment in densest:
        count = sum(
            many * runs_at(Entry("", "", schedule, start=start, end=end), moment)
            for (schedule, start, end), many in groups.items()
        )
        found.append(Herd(moment, max(0, count + fewer), count))
    herds = tuple(herd for herd in found if herd.after >= 2 * herd.before)
    return herds, len(dense) - len(densest)


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
