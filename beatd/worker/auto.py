"""Importing this module makes all Celery workers of the process report to beatd how its runs ended.

Use: `celery -A proj worker --include beatd.worker.auto`. Processes other than workers ignore it.
"""

from beatd.worker.installation import report_every_app

report_every_app()
