"""An app with these settings, which no other test sees."""

from typing import Any

from celery import Celery


def app_of(**settings: Any) -> Celery:
    app = Celery("proj", broker="memory://", set_as_current=False)
    app.conf.update(settings)
    return app
