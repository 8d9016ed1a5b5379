"""Count how many runs of an entry's pending requests are sent, and how many are left."""

from collections import Counter
from datetime import datetime
from itertools import islice

from msgspec import Struct

from beatd.catalog import Stored
from beatd.edits.keyed_request import is_run_of
from beatd.edits.run_requests import pending_requests
from beatd.ledger import Request
from beatd.planning import stretch
from beatd.run import State
from beatd.store import Roles

RECORDS_READ = 1_000  # of the entry, the newest
OTHERS_MIN = 100  # records of other runs in a row; before them lies no run of the request


class RequestProgress(Struct, frozen=True):
    """A pending request for runs of an entry, with how many of them are published, failed and left.

    `published` and `failed` are counted for backfills only, among the newest records of the entry.
    `at_least` is True if more may be published, `more_left` if more are left than were counted.
    """

    request: Request
    published: int
    failed: int
    left: int
    at_least: bool = False
    more_left: bool = False

    @property
    def total(self) -> int:
        return self.published + self.failed + self.left


def request_progress(store: Roles, row: Stored) -> list[RequestProgress]:
    """Return the pending requests for runs of an entry, oldest first, each with its progress."""
    return [_progress(store, row, one) for one in pending_requests(store.requests, row.entry.name)]


def _progress(store: Roles, row: Stored, request: Request) -> RequestProgress:
    if request.kind == "trigger":
        return RequestProgress(request, 0, 0, 1)
    rest = stretch(row.entry, request.first, request.last, "")
    if request.kind == "backlog":
        return RequestProgress(request, 0, 0, rest.count, more_left=rest.at_least)
    states, is_all = _states(store, request)
    return RequestProgress(
        request,
        states["published"],
        states["failed"],
        rest.count + states["claimed"],
        at_least=not is_all,
        more_left=rest.at_least,
    )


def _states(store: Roles, request: Request) -> tuple[Counter[State], bool]:
    # The flag is True if the newest RECORDS_READ records have all runs of the request.
    namespace, found = store.requests.namespace, dict[datetime, State]()
    read = others = 0
    for record in islice(store.history.history(request.name, RECORDS_READ), RECORDS_READ):
        read, others = read + 1, others + 1
        if is_run_of(namespace, record, request.id):
            found.setdefault(record.planned, record.state)
            others = 0
    return Counter(found.values()), read < RECORDS_READ or others >= OTHERS_MIN
