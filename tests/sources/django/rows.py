"""Rows of django-celery-beat, as its admin would make them."""

from typing import Any

from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks


def every(seconds: int = 60) -> IntervalSchedule:
    return IntervalSchedule.objects.get_or_create(every=seconds, period="seconds")[0]


def add(name: str, **fields: Any) -> PeriodicTask:
    fields.setdefault("task", "proj.t")
    if not {"interval", "crontab", "solar", "clocked"} & set(fields):
        fields["interval"] = every()
    return PeriodicTask.objects.create(name=name, **fields)


def marker() -> Any:
    return PeriodicTasks.objects.get(ident=1).last_update
