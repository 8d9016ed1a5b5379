"""Django, with django-celery-beat and nothing else."""

import json
import os
from urllib.parse import urlsplit

_store = urlsplit(json.loads(os.environ["BENCH_JOB"])["store"])
SECRET_KEY = "bench"
USE_TZ = True
TIME_ZONE = "UTC"
INSTALLED_APPS = ["django_celery_beat"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _store.path.strip("/"),
        "USER": _store.username,
        "HOST": _store.hostname,
        "PORT": _store.port,
    }
}
