"""The app of the worker in test_workers.py."""

from celery import Celery

app = Celery("proj")


@app.task(name="proj.say")
def say() -> None: ...
