"""Choose the open incidents that an answer of `beatd why` names, so that it names each cause once.

The store has an incident open until a leader notices its end, which takes a moment, or for as long
as nobody leads. What the facts show to be over is therefore left out.
"""

from collections.abc import Iterator
from itertools import takewhile

from msgspec.structs import replace

from beatd.incident import Incident
from beatd.outcome import DELIVERY_ENDS, Delivery
from beatd.presence import INVALID_SOURCE
from beatd.run_outcome import run_outcome
from beatd.why.facts import Facts
from beatd.why.outage_now import outage_now

LAST = ", the last: "  # in the text of an incident, before the error of its newest run


def incidents_now(facts: Facts) -> list[Incident]:
    """Return the incidents that last, those of the entry first, the others by their begin.

    The incident of an outage that `outage_now` names is left out, as are those that it explains.
    """
    lasting = [one for one in facts.incidents if not _is_over(facts, one)]
    return [_as_it_is(facts, one) for one in sorted(lasting, key=lambda one: not one.name)]


def incident_text(one: Incident, said: str) -> str:
    """Return what an incident observed, without the error of a run if `said` contains it."""
    first, last, error = one.observed.partition(LAST)
    error = error.removeprefix("failed: ")
    return first if last and error.strip() and error in said else one.observed


def _is_over(facts: Facts, one: Incident) -> bool:
    match one.kind:
        case "outcomes away":  # they come by the broker, so a broker that is away explains it
            reports = (each for some in facts.deliveries.values() for each in some)
            return outage_now(facts) is not None or any(each.at > one.opened for each in reports)
        case "invalid source":
            return not _invalid(facts)
        case "failed":
            return _limit_is_gone(facts, one) or _recovered(facts, one)
        case "missing":
            ended = [run for run in _runs(facts) if run.state == "succeeded"]
            is_over = any((run.finished or run.at) > one.opened for run in ended)
            return _limit_is_gone(facts, one) or is_over
        case "running":
            newest = next(_runs(facts), None)
            is_over = newest is not None and newest.state in DELIVERY_ENDS
            return _limit_is_gone(facts, one) or is_over
        case "late":
            return _limit_is_gone(facts, one)
        case "nobody leads" | "store away" | "broker away":
            return True  # `outage_now` names the outage of now, from the daemons themselves
        case "store went back":
            return False


def _as_it_is(facts: Facts, one: Incident) -> Incident:
    # The source may have another mistake by now than the one that opened the incident.
    return replace(one, observed=_invalid(facts)[0]) if one.kind == "invalid source" else one


def _invalid(facts: Facts) -> list[str]:
    told = (line for one in facts.daemons for line in one.problems)
    return [
        *facts.problems,
        *(line.removeprefix(INVALID_SOURCE) for line in told if line.startswith(INVALID_SOURCE)),
    ]


def _limit_is_gone(facts: Facts, one: Incident) -> bool:
    """Return True if the entry does not ask any more for what opened the incident."""
    alert = None if facts.row is None else facts.row.entry.alert
    return alert is None or getattr(alert, one.kind) is None


def _recovered(facts: Facts, one: Incident) -> bool:
    alert = None if facts.row is None else facts.row.entry.alert
    good = takewhile(lambda run: run.state == "succeeded", _runs(facts))
    after = [run for run in good if (run.finished or run.at) > one.opened]
    return alert is not None and len(after) >= alert.recovered


def _runs(facts: Facts) -> Iterator[Delivery]:
    # The newest run first, of those that workers reported.
    for record in facts.records:
        run = run_outcome(facts.deliveries.get(record.task_id, ()))
        if run is not None:
            yield run
