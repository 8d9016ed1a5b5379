"""Write deliveries (of the messages of runs to workers) and the outcomes of entries in the tables
in memory."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec.structs import asdict, replace

from beatd.outcome import DELIVERY_ENDS, RUN_ENDS, Delivery, EntryOutcome, Written
from beatd.stores.embedded.running_runs import end_run
from beatd.stores.embedded.table_values import DeliveryGone, DeliveryRow, OutcomeRow
from beatd.stores.embedded.tables import Tables

# The deliveries that are kept, as all of them are in memory.
DELIVERIES = 100_000


def write_delivery(tables: Tables, delivery: Delivery, at: datetime) -> Written:
    """Write what is newly known of a delivery at the time `at`, as `Outcomes.write_outcomes` does
    with each."""
    before = tables.deliveries.get(delivery.task_id, {}).get(delivery.delivery)
    if before is not None and before.state in DELIVERY_ENDS:
        is_lost_one_ending = before.state == "lost" and delivery.state in DELIVERY_ENDS - {"lost"}
        if not is_lost_one_ending:
            return "late"
    known = delivery if before is None else _merged(before, delivery)
    tables.put(DeliveryRow(known))
    if tables.delivery_count > DELIVERIES + DELIVERIES // 10:
        _delete_oldest(tables, tables.delivery_count - DELIVERIES)
    of_run = tables.deliveries[known.task_id]
    newest = next(reversed(of_run.values()))
    if newest.delivery == known.delivery and known.name in tables.defined:
        was_lost = before is not None and before.state == "lost"
        tables.put(OutcomeRow(_outcome(tables.outcomes.get(known.name), known, at, was_lost)))
    # While an older delivery of the same message is live, the run goes on.
    if newest.state in RUN_ENDS and all(one.state in DELIVERY_ENDS for one in of_run.values()):
        end_run(tables, known.task_id, at)
    return "written"


def _merged(before: Delivery, new: Delivery) -> Delivery:
    """Return the delivery with what both reports know; the state is that of the newer report, and
    an end is always newer."""
    newer, older = (new, before)
    if new.state not in DELIVERY_ENDS and new.at < before.at:
        newer, older = before, new
    known: dict[str, Any] = {
        field: value for field, value in asdict(newer).items() if value not in (None, "")
    }
    return replace(older, **known)


def _outcome(
    before: EntryOutcome | None, newest: Delivery, at: datetime, was_lost: bool
) -> EntryOutcome:
    """Return the outcome of an entry after a report about the newest delivery of one of its runs.
    If that delivery `was_lost`, it was counted as a failure already."""
    outcome = before or EntryOutcome(name=newest.name, newest=newest, first=at)
    if newest.at >= outcome.newest.at or _is_same(newest, outcome.newest):
        outcome = replace(outcome, newest=newest)
    if newest.state == "succeeded":
        last = max(filter(None, (outcome.last_success, newest.finished or newest.at)))
        return replace(outcome, failures=0, successes=outcome.successes + 1, last_success=last)
    if newest.state in RUN_ENDS:
        return replace(outcome, failures=outcome.failures + (not was_lost), successes=0)
    return outcome


def _is_same(one: Delivery, other: Delivery) -> bool:
    return (one.task_id, one.delivery) == (other.task_id, other.delivery)


def forget_deliveries(tables: Tables, before: datetime, keep: int) -> None:
    """Delete the deliveries whose newest report is older than `before`, and all but the newest
    `keep`."""
    deliveries = list(_deliveries(tables))
    old = [one for one in deliveries if one.at < before]
    rest = sorted((one for one in deliveries if one.at >= before), key=lambda one: one.at)
    _delete(tables, [*old, *rest[: max(0, len(rest) - keep)]])


def _delete_oldest(tables: Tables, count: int) -> None:
    _delete(tables, [one for one, _ in zip(_deliveries(tables), range(count), strict=False)])


def _delete(tables: Tables, deliveries: Iterable[Delivery]) -> None:
    for one in deliveries:
        tables.put(DeliveryGone(one.task_id, one.delivery))


def _deliveries(tables: Tables) -> Iterable[Delivery]:
    for of_run in tables.deliveries.values():
        yield from of_run.values()
