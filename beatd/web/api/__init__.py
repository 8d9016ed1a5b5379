"""The API under /api/v1/, for programs."""

from starlette.routing import BaseRoute

from beatd.web.api.operations import OPERATIONS
from beatd.web.api.routing import routes_of


def routes() -> list[BaseRoute]:
    """Return the routes of the API."""
    return routes_of(OPERATIONS)
