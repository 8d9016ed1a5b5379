"""Write the reports of workers about runs in a store in memory."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from beatd.outcome import Delivery, Written
from beatd.run_outcome import run_ended
from beatd.stores.embedded.running_runs import end_run
from beatd.stores.embedded.table_values import DeliveryGone, DeliveryRow, OutcomeRow
from beatd.stores.embedded.tables import Tables
from beatd.stores.outcome_fold import entry_after, with_report

# The deliveries that are kept, as all of them are in memory.
DELIVERIES = 100_000


def write_delivery(tables: Tables, delivery: Delivery, at: datetime) -> Written:
    """Write a worker's report about a run; return "late" if that had ended before, else "written".

    A late report changes nothing. When all deliveries of the run's message have ended, the run is
    over, and a next run that waits for it is due at `at`. Above 110,000 deliveries, the oldest are
    deleted.
    """
    of_run = tables.deliveries.get(delivery.task_id, {})
    before = of_run.get(delivery.delivery)
    known = with_report(before, delivery)
    if known is None:
        return "late"
    tables.put(DeliveryRow(known))
    of_run = tables.deliveries[known.task_id]
    if known.name in tables.defined:
        others = [one for one in of_run.values() if one.delivery != known.delivery]
        outcome = entry_after(tables.outcomes.get(known.name), before, known, others, at)
        tables.put(OutcomeRow(outcome))
    if run_ended(of_run.values()):
        end_run(tables, known.task_id, at)
    if tables.delivery_count > DELIVERIES + DELIVERIES // 10:
        _delete(tables, list(islice(_deliveries(tables), tables.delivery_count - DELIVERIES)))
    return "written"


def forget_deliveries(tables: Tables, before: datetime, keep: int) -> None:
    """Delete workers' reports older than `before`, and all but the newest `keep`."""
    newest_first = sorted(_deliveries(tables), key=lambda one: one.at, reverse=True)
    recent = [one for one in newest_first[:keep] if one.at >= before]
    _delete(tables, newest_first[len(recent) :])


def _delete(tables: Tables, deliveries: Iterable[Delivery]) -> None:
    for one in deliveries:
        tables.put(DeliveryGone(one.task_id, one.delivery))


def _deliveries(tables: Tables) -> Iterator[Delivery]:
    for of_run in tables.deliveries.values():
        yield from of_run.values()
