"""How far the pending requests of an entry have come: what is published, and what is left."""

from collections import Counter

from msgspec import Struct

from beatd.catalog import Stored
from beatd.edits.keyed_request import RECORDS_READ, records_of_request
from beatd.edits.run_requests import pending_requests
from beatd.ledger import Request
from beatd.planning import stretch
from beatd.store import Roles


class RequestProgress(Struct, frozen=True):
    """A pending request, with how many of its runs are published, failed and left.

    `published` and `failed` are counted for backfills only, among the newest records of the entry.
    `at_least` is True if there were too many runs to count all of them.
    """

    request: Request
    published: int
    failed: int
    left: int
    at_least: bool = False

    @property
    def total(self) -> int:
        return self.published + self.failed + self.left


def request_progress(store: Roles, row: Stored) -> list[RequestProgress]:
    """Return the pending requests of an entry, the oldest first."""
    return [_progress(store, row, one) for one in pending_requests(store.requests, row.entry.name)]


def _progress(store: Roles, row: Stored, request: Request) -> RequestProgress:
    if request.kind == "trigger":
        return RequestProgress(request, 0, 0, 1)
    rest = stretch(row.entry, request.first, request.last, "")
    if request.kind == "backlog":
        return RequestProgress(request, 0, 0, rest.count, rest.at_least)
    records = records_of_request(store.requests, store.history, request.name, request.id)
    states = Counter({one.planned: one.state for one in records}.values())
    return RequestProgress(
        request,
        states["published"],
        states["failed"],
        rest.count + states["claimed"],
        rest.at_least or states.total() >= RECORDS_READ - 1,
    )
