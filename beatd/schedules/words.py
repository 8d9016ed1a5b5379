"""A schedule in plain English."""

from beatd.schedule import Schedule


def describe(schedule: Schedule) -> str:
    """What the schedule does, as one says it."""
    return " ".join(f"{kind} {value}" for kind, value in schedule.plain().items())
