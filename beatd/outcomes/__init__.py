"""Read how published runs ended, from the reports of workers or from a Celery result backend."""
