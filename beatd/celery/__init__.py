"""beatd as the scheduler of celery's own commands: `celery beat -S beatd`, `celery worker -B`."""

from beatd.celery.scheduler import BeatdScheduler

__all__ = ["BeatdScheduler"]
