"""Harmless replacements for the objects of celery in a pickle."""

import pickle
from collections.abc import Callable
from typing import Any


class CeleryObject:
    """A harmless replacement for a celery object in a pickle, with its kind and named arguments."""

    __slots__ = ("fields", "kind")
    fields: dict[str, Any]
    kind: str

    def __init__(self, kind: str, fields: dict[str, Any]) -> None:
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "fields", fields)

    def __setattr__(self, key: str, value: Any) -> None:
        raise pickle.UnpicklingError("values in a pickle are not changed")

    def __setstate__(self, state: Any) -> None:
        # The keyword arguments of a crontab; its meaning is in the arguments.
        self.fields["state"] = state


ENTRY = ("name", "task", "last_run_at", "total_run_count", "schedule", "args", "kwargs", "options")
CRONTAB = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")


def keeper(kind: str, names: tuple[str, ...]) -> Callable[..., CeleryObject]:
    """Return a function that makes a CeleryObject whose arguments have these names."""

    def make(*args: Any) -> CeleryObject:
        return CeleryObject(kind, dict(zip(names, args, strict=False)))

    return make
