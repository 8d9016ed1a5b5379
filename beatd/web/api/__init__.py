"""The HTTP API under /api/v1/, through which programs read and change entries."""

from starlette.routing import BaseRoute

from beatd.web.api.operations import OPERATIONS
from beatd.web.api.routing import routes_of


def routes() -> list[BaseRoute]:
    """Return the Starlette routes of all operations of the HTTP API."""
    return routes_of(OPERATIONS)
