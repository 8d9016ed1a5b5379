"""The part of a Celery worker that reports to beatd how the runs of its entries ended.

`beatd.worker.report(app)`, one line in an app, installs the reporting for the workers of this app.
The option `--include beatd.worker.auto` of `celery worker` installs it without a change of the app.
"""

from beatd.worker.installation import report

__all__ = ["report"]
