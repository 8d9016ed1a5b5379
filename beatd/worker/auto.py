"""Importing this module makes all workers of the process report what became of beatd's runs.

Use: `celery -A proj worker --include beatd.worker.auto`. Processes other than workers ignore it.
"""

from beatd.worker.installation import report_every_app

report_every_app()
