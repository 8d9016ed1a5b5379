"""Encode and decode the outcomes of runs and entries as short JSON arrays for Redis.

A moment is a number of microseconds: `planned` since 1970, the others since `planned`.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import json

from beatd.outcome import Delivery, EntryOutcome, OutcomeState
from beatd.run import MICROSECOND, micros, moment_of

# delivery, state, at, worker, received, started, finished, error
_Packed = tuple[str, OutcomeState, int, str, int | None, int | None, int | None, str]
_Run = tuple[str, int, list[_Packed]]  # name, planned, deliveries
_run = json.Decoder(_Run)
# task id, run, failures, successes, last success, first
_entry = json.Decoder(tuple[str, _Run, int, int, int | None, int | None])


def run_text(deliveries: Iterable[Delivery]) -> str:
    """Encode what workers reported about one run as a JSON text. There must be at least one
    report."""
    return json.encode(_packed(list(deliveries))).decode()


def deliveries_of(task_id: str, text: bytes) -> list[Delivery]:
    return _unpacked(task_id, _run.decode(text))


def entry_text(outcome: EntryOutcome) -> str:
    newest = outcome.newest
    found = (
        newest.task_id,
        _packed([newest]),
        outcome.failures,
        outcome.successes,
        _since(newest.planned, outcome.last_success),
        _since(newest.planned, outcome.first),
    )
    return json.encode(found).decode()


def entry_of(name: str, text: bytes) -> EntryOutcome:
    task_id, run, failures, successes, last_success, first = _entry.decode(text)
    (newest,) = _unpacked(task_id, run)
    return EntryOutcome(
        name=name,
        newest=newest,
        failures=failures,
        successes=successes,
        last_success=_after(newest.planned, last_success),
        first=_after(newest.planned, first),
    )


def _packed(deliveries: list[Delivery]) -> _Run:
    planned = deliveries[0].planned
    packed: list[_Packed] = [
        (
            one.delivery,
            one.state,
            (one.at - planned) // MICROSECOND,
            one.worker,
            _since(planned, one.received),
            _since(planned, one.started),
            _since(planned, one.finished),
            one.error,
        )
        for one in deliveries
    ]
    return deliveries[0].name, micros(planned), packed


def _unpacked(task_id: str, run: _Run) -> list[Delivery]:
    name, since, packed = run
    planned = moment_of(since)
    return [
        Delivery(
            task_id=task_id,
            delivery=delivery,
            name=name,
            planned=planned,
            state=state,
            at=planned + at * MICROSECOND,
            worker=worker,
            received=_after(planned, received),
            started=_after(planned, started),
            finished=_after(planned, finished),
            error=error,
        )
        for delivery, state, at, worker, received, started, finished, error in packed
    ]


def _since(planned: datetime, moment: datetime | None) -> int | None:
    return None if moment is None else (moment - planned) // MICROSECOND


def _after(planned: datetime, since: int | None) -> datetime | None:
    return None if since is None else planned + since * MICROSECOND
