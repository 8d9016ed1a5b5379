"""Run beatd as the scheduler of celery's commands: `celery beat -S beatd`, `celery worker -B`."""

from beatd.celery.scheduler import BeatdScheduler

__all__ = ["BeatdScheduler"]
