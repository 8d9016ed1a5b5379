"""Merge workers' reports about runs with the outcomes that are stored in Redis."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import msgpack

from beatd.outcome import DELIVERY_ENDS, Delivery, EntryOutcome, Written
from beatd.run import micros
from beatd.run_outcome import by_age, known_since, run_ended
from beatd.stores.outcome_fold import entry_after, with_report
from beatd.stores.redis.outcome_text import entry_text, run_text

Expected = str | bool  # a text that was read; "" if there was none, False if it was damaged


class OutcomeBatch:
    """Merges workers' reports into what Redis knows about their runs and entries.

    `packed` returns the changed runs and entries as arguments of the script that writes them.
    """

    def __init__(self) -> None:
        self._runs: dict[str, tuple[Expected, list[Delivery]]] = {}
        self._entries: dict[str, tuple[Expected, EntryOutcome | None]] = {}
        self._changed_runs = dict[str, None]()
        self._changed_entries = dict[str, None]()

    def know_run(self, task_id: str, text: bytes | None, known: list[Delivery] | None) -> None:
        """Add what Redis has about a run: the deliveries of its message, and the text that encodes
        them.

        `known` is None if the text is missing or damaged; a damaged text is replaced later.
        """
        self._runs[task_id] = _expected(text, known), known or []

    def know_entry(self, name: str, text: bytes | None, known: EntryOutcome | None) -> None:
        self._entries[name] = _expected(text, known), known

    def add(self, report: Delivery, at: datetime) -> Written:
        """Merge a worker's report, in memory only; return "late" if its task had ended before.

        Such a report changes nothing. For any other, return "written".
        """
        deliveries = self._runs[report.task_id][1]
        old = next((one for one in deliveries if one.delivery == report.delivery), None)
        new = with_report(old, report)
        if new is None:
            return "late"
        others = [one for one in deliveries if one is not old]
        expected, before = self._entries[report.name]
        self._entries[report.name] = expected, entry_after(before, old, new, others, at)
        deliveries[:] = sorted([*others, new], key=by_age)
        self._changed_runs[report.task_id] = self._changed_entries[report.name] = None
        return "written"

    def packed(self) -> tuple[bytes, bytes]:
        runs = [_run(id, *self._runs[id]) for id in self._changed_runs]
        entries = [
            (name, expected, entry_text(outcome))
            for name in self._changed_entries
            for expected, outcome in (self._entries[name],)
            if outcome is not None
        ]
        return msgpack.encode(runs), msgpack.encode(entries)


def _expected(text: bytes | None, known: object) -> Expected:
    if text is None:
        return ""
    return text.decode() if known is not None else False


def _run(task_id: str, expected: Expected, deliveries: Sequence[Delivery]) -> tuple[object, ...]:
    # The fields, as `write_outcomes.lua` expects them: task id, text that was read, new text,
    # moment of the newest report, first moment of the oldest delivery that has not ended, whether
    # the run ended.
    newest = max(one.at for one in deliveries)
    live = [one for one in deliveries if one.state not in DELIVERY_ENDS]
    since = str(micros(known_since(live[0]))) if live else ""
    ended = run_ended(deliveries)
    return (task_id, expected, run_text(deliveries), str(micros(newest)), since, ended)
