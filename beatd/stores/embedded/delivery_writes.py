"""Write the reports of workers about runs in a store in memory."""

from collections.abc import Iterable, Iterator, Sequence
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


def write_deliveries(
    tables: Tables, deliveries: Iterable[Delivery], at: datetime
) -> Sequence[Written]:
    """Write workers' reports about runs; return for each "late" if it changed nothing, because its
    delivery had ended before, else "written".

    Then a run is over if all deliveries of its message have ended, and a next run that waits for it
    is due at `at`. Above 110,000 deliveries, the oldest are deleted.
    """
    written, changed = list[Written](), dict[str, None]()
    for delivery in deliveries:
        if _write(tables, delivery, at):
            changed[delivery.task_id] = None
            written.append("written")
        else:
            written.append("late")
    for task_id in changed:
        if run_ended(tables.deliveries[task_id].values()):
            end_run(tables, task_id, at)
    if tables.delivery_count > DELIVERIES + DELIVERIES // 10:
        _delete(tables, list(islice(_deliveries(tables), tables.delivery_count - DELIVERIES)))
    return written


def _write(tables: Tables, delivery: Delivery, at: datetime) -> bool:
    of_run = tables.deliveries.get(delivery.task_id, {})
    before = of_run.get(delivery.delivery)
    known = with_report(before, delivery)
    if known is None:
        return False
    tables.put(DeliveryRow(known))
    if known.name in tables.defined:
        of_run = tables.deliveries[known.task_id]
        others = [one for one in of_run.values() if one.delivery != known.delivery]
        outcome = entry_after(tables.outcomes.get(known.name), before, known, others, at)
        tables.put(OutcomeRow(outcome))
    return True


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
