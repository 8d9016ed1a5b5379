"""The tasks of the worker in compose.yaml. The broker is in CELERY_BROKER_URL."""

from celery import Celery

from beatd import worker

app = Celery("tasks")
app.conf.update(broker_connection_retry_on_startup=True, task_ignore_result=True)
worker.report(app)  # so that `beatd history` shows what became of the runs


@app.task(name="tasks.say")
def say(text: str) -> str:
    """Return the text unchanged."""
    return text
