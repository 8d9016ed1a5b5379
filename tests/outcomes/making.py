"""Reports and deliveries to test with."""

from datetime import UTC, datetime, timedelta
from typing import Any

from beatd.outcome import Delivery, OutcomeState
from beatd.report import Report

PLANNED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return PLANNED + timedelta(seconds=seconds)


def report(state: OutcomeState, seconds: float, **more: Any) -> Report:
    known: dict[str, Any] = {"id": "t", "delivery": "d", "entry": "e", "planned": PLANNED}
    return Report(**{**known, "state": state, "at": at(seconds), **more})


def delivery(state: OutcomeState, seconds: float = 0, **more: Any) -> Delivery:
    known: dict[str, Any] = {"task_id": "t", "delivery": "d", "name": "e", "planned": PLANNED}
    return Delivery(**{**known, "state": state, "at": at(seconds), **more})
