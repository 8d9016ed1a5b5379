"""What django-celery-beat's README (2.9.0) describes, done in Django, and what beatd makes of it.

Not applicable: installing and the project's own development; `celery beat -S django` and `worker
--beat` (the one line that replaces them: tests/test_migrating.py); a change of Django's TIME_ZONE,
which beatd does not read (each crontab names its zone); DJANGO_CELERY_BEAT_TZ_AWARE = False
(`USE_TZ = True` is expected: docs/migrating/django.md). The documentation has no example of a solar
or clocked schedule, nor of one_off: tests/sources/django has.
"""
