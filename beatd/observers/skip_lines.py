"""Turn the event that runs were skipped into log lines, with the number of a whole outage."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from beatd.events import Skipped
from beatd.run import Skip
from beatd.skips_in_order import are_of_one_outage

log = logging.getLogger("beatd")
LINES_PER_BATCH_MAX = 5  # a larger batch gets one line for all its runs that were skipped alike
ENTRIES_REMEMBERED_MAX = 10_000

Line = tuple[int, str, dict[str, Any]]  # level, text, facts
NamedSkip = tuple[str, Skip, Skip]  # an entry, its skip, and all that its outage skipped of it


class SkipLines:
    """Makes the log lines of skipped runs; `time_text` formats their times.

    A run that was claimed before an outage is skipped after the others of its entry. Its line has
    the number of them all, as `beatd history` shows it.
    """

    def __init__(self, time_text: Callable[[datetime], str]) -> None:
        self._time_text = time_text
        self._outages = dict[str, Skip]()  # entry -> all that its newest outage skipped

    def __call__(self, event: Skipped) -> list[Line]:
        skips = [(name, skip, self._whole(name, skip)) for name, skip in event.skips]
        if len(skips) <= LINES_PER_BATCH_MAX or log.isEnabledFor(logging.DEBUG):
            return [self._line(name, skip, whole) for name, skip, whole in skips]
        alike: dict[str, list[NamedSkip]] = {}
        for one in skips:
            alike.setdefault(in_short(one[1].reason), []).append(one)
        return [self._line_of_many(reason, some) for reason, some in alike.items()]

    def _whole(self, name: str, skip: Skip) -> Skip:
        known = self._outages.get(name)
        whole = skip
        if known and skip.until < known.planned and are_of_one_outage(skip.reason, known.reason):
            whole = _sum([skip, known], known.reason)
        elif len(self._outages) >= ENTRIES_REMEMBERED_MAX:
            self._outages.clear()
        self._outages[name] = whole
        return whole

    def _line_of_many(self, reason: str, some: Sequence[NamedSkip]) -> Line:
        names = list(dict.fromkeys(name for name, _, _ in some))
        skip = _sum([skip for _, skip, _ in some], reason)
        whole = _sum([whole for _, _, whole in some], reason)
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        level, text, facts = self._line(f"{names[0]}{more}", skip, whole)
        return level, text, facts | {"entry": names[0], "entries": len(names)}

    def _line(self, name: str, skip: Skip, whole: Skip) -> Line:
        facts = {
            "entry": name, "planned": skip.planned.isoformat(), "until": skip.until.isoformat(),
            "count": skip.count, "reason": skip.reason,
        }  # fmt: skip
        what = self._stretch(whole)
        if whole.count != skip.count:
            facts["in_all"] = whole.count
            more = "1 run" if skip.count == 1 else f"{skip.count} runs"
            what = f"{more} more, in all {what}"
        return logging.WARNING, f"{name} skipped {what}: {skip.reason}", facts

    def _stretch(self, skip: Skip) -> str:
        """Return the skipped times as text, such as "3 runs, FIRST to LAST"."""
        first, last = (self._time_text(moment) for moment in (skip.planned, skip.until))
        if skip.count == 1 and not skip.at_least:
            return f"the run of {first}"
        least = "at least " if skip.at_least else ""
        return f"{least}{skip.count} runs, {first} to {last}"


def in_short(reason: str) -> str:
    """Return a reason without the figures that differ each time: "late" for "late by 3 s"."""
    return reason.split(" by ")[0]


def _sum(skips: Sequence[Skip], reason: str) -> Skip:
    return Skip(
        min(skip.planned for skip in skips),
        max(skip.until for skip in skips),
        sum(skip.count for skip in skips),
        reason,
        at_least=any(skip.at_least for skip in skips),
    )
