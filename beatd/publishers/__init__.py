"""Send runs to the broker of a Celery app; each kind of broker has its own transport module."""
