"""Importing this module makes every worker of the process report: `celery -A proj worker --include
beatd.worker.auto`.

In a process that is not a worker it does nothing, because nothing is received there.
"""

from beatd.worker.installation import report_every_app

report_every_app()
