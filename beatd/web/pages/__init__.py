"""The pages for people, which are rendered from templates."""

from starlette.routing import BaseRoute


def routes() -> list[BaseRoute]:
    """Return the routes of the pages."""
    return []
