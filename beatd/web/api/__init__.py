"""The API under /api/v1/, for programs."""

from starlette.routing import BaseRoute


def routes() -> list[BaseRoute]:
    """Return the routes of the API."""
    return []
