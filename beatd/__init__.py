"""A periodic-scheduler daemon for Celery workers."""

__version__ = "0.1.0"
