"""Import this module to make every worker of the process report: `celery -A proj worker --include
beatd.worker.auto`.

In a process that is not a worker the import has no effect, because no task is received there.
"""

from beatd.worker.installation import report_every_app

report_every_app()
