"""Merge the reports of workers about the same task message."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import structs

from beatd.outcome import DELIVERY_ENDS, Delivery
from beatd.report import Report, Reports

ERROR_MAX_CHARS = 500


def deliveries_of(messages: Iterable[Reports]) -> list[Delivery]:
    """Merge workers' reports into one `Delivery` for each message that a worker received.

    The result has the newest state and all known times; a final state always counts as newest.
    """
    found: dict[tuple[str, str], Delivery] = {}
    for message in messages:
        for report in message.reports:
            key, new = (report.id, report.delivery), _delivery_of(report, message.worker)
            known = found.get(key)
            found[key] = new if known is None else merged(known, new)
    return list(found.values())


def merged(first: Delivery, second: Delivery) -> Delivery:
    """Merge two reports about the same task message: the newer state, and the times of both.

    If both states are equally new, `second` wins.
    """
    older, newer = (second, first) if _rank(first) > _rank(second) else (first, second)
    return structs.replace(
        newer,
        worker=newer.worker or older.worker,
        received=newer.received or older.received,
        started=newer.started or older.started,
        finished=newer.finished or older.finished,
        error=newer.error or older.error,
    )


def not_after(delivery: Delivery, now: datetime) -> Delivery:
    """Return a worker's report with its times moved back, so that none is later than `now`."""
    ahead = delivery.at - now  # a time in the future would hide later reports
    if ahead <= timedelta(0):
        return delivery

    def moved(moment: datetime | None) -> datetime | None:
        return None if moment is None else moment - ahead

    return structs.replace(
        delivery,
        at=now,
        received=moved(delivery.received),
        started=moved(delivery.started),
        finished=moved(delivery.finished),
    )


def _rank(delivery: Delivery) -> tuple[int, float]:
    if delivery.state in DELIVERY_ENDS:
        return 2, delivery.at.timestamp()
    return int(delivery.state == "started"), delivery.at.timestamp()


def _delivery_of(report: Report, worker: str) -> Delivery:
    state, at = report.state, report.at
    return Delivery(
        task_id=report.id,
        delivery=report.delivery,
        name=report.entry,
        planned=report.planned,
        state=state,
        at=at,
        worker=worker,
        received=at if state == "received" else None,
        started=at if state == "started" else None,
        finished=at if state in DELIVERY_ENDS else None,
        error=report.error[:ERROR_MAX_CHARS],
    )
