"""Run beatd inside celery's own commands: `celery beat -S beatd` and `celery worker -B`."""

from beatd.celery.scheduler import BeatdScheduler

__all__ = ["BeatdScheduler"]
