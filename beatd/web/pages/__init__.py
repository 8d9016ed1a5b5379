"""The HTML pages on which people view and edit entries, rendered from Jinja templates."""

from starlette.routing import BaseRoute

from beatd.web.pages import (
    ahead,
    backfill,
    badge,
    bulk,
    calendar,
    changes,
    daemons,
    edit,
    entries,
    entry,
    incidents,
    overview,
    run_history,
    run_now,
)
from beatd.web.pages.rendering import prepare
from beatd.web.templates import environment


def routes() -> list[BaseRoute]:
    """Return the Starlette routes of all HTML pages."""
    prepare(environment())
    return [
        *overview.routes(),
        *entries.routes(),
        *bulk.routes(),
        *run_history.routes(),
        *incidents.routes(),
        *daemons.routes(),
        *changes.routes(),
        *ahead.routes(),
        *calendar.routes(),
        *badge.routes(),
        *run_now.routes(),
        *backfill.routes(),
        *edit.routes(),
        *entry.routes(),
    ]
