"""Read the history, incidents and changes of a remote daemon over its API, as from a store."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from beatd.catalog import Change, Query, Stored
from beatd.changes import ChangeRecord
from beatd.errors import BeatError, UnknownEntry
from beatd.history import Record
from beatd.incident import Incident
from beatd.ledger import Request
from beatd.outcome import EntryOutcome
from beatd.remote.api import PAGE, Api, entry_path
from beatd.remote.from_json import change_from, incident_from, record_from
from beatd.remote.remote_catalog import RemoteCatalog
from beatd.store import Roles


def roles_over(api: Api, now: Callable[[], datetime]) -> Roles:
    """Return an object with the interface of an open store that uses a daemon's API.

    Using a part of the interface that the API does not have raises BeatError.
    """
    catalog, missing = RemoteCatalog(api, now), _Missing()
    parts: dict[str, Any] = dict.fromkeys(Roles.__struct_fields__, missing)
    parts |= {
        "catalog": catalog,
        "requests": RemoteRequests(api, catalog),
        "history": RemoteHistory(api),
        "outcomes": RemoteOutcomes(catalog),
        "incidents": RemoteIncidents(api),
        "changes": RemoteChanges(api),
    }
    return Roles(**parts)


class RemoteOutcomes:
    """The newest outcomes of the entries that a RemoteCatalog has read over the API."""

    def __init__(self, catalog: RemoteCatalog) -> None:
        self._catalog = catalog

    def entry_outcomes(self, names: Sequence[str]) -> Mapping[str, EntryOutcome]:
        """Return the newest outcome of each of these entries, by name; entries not read are left
        out."""
        known = self._catalog.outcomes
        return {name: known[name] for name in names if name in known}


class RemoteHistory:
    """Reads the history of runs over the API of a daemon."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        """Yield the history records of the entry `name`, or of all entries if it is None, newest
        first.

        At most `limit` records are yielded; None means all.
        """
        return map(record_from, history_json(self._api, name, limit))

    def newest_records(self, names: Sequence[str], limit: int) -> Mapping[str, Sequence[Record]]:
        """Return no records: the API has read them, and names what follows from them."""
        return {}


def history_json(
    api: Api, name: str | None, limit: int | None, **filters: str | datetime | None
) -> Iterator[dict[str, Any]]:
    """Yield history records as dicts from the API's JSON, newest first; nothing for an unknown
    entry.

    `name` None means all entries. `filters` are the query parameters `state`, `since` and `until`.
    """
    path = "history" if name is None else entry_path(name, "history")
    try:
        yield from api.pages(path, limit, **filters)
    except UnknownEntry:
        return


class RemoteIncidents:
    """Reads incidents, which are problems that last for a time, over the API of a daemon."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def open_incidents(self) -> list[Incident]:
        """Return the incidents that have not ended, oldest first."""
        found = [incident_from(one) for one in self._api.pages("incidents", state="open")]
        return found[::-1]

    def incidents(self, name: str | None, limit: int | None) -> Iterator[Incident]:
        """Yield the incidents of the entry `name`, or all if it is None, the last opened first.

        At most `limit` incidents are yielded; None means all.
        """
        return map(incident_from, self._api.pages("incidents", limit, entry=name))


class RemoteChanges:
    """Reads the records of who changed which entry over the API of a daemon."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._after: dict[str, str | None] = {}  # id of the last record of a page -> the next page

    def changes(self, name: str | None, limit: int, before: str = "") -> Sequence[ChangeRecord]:
        """Return a page of the records of changes of an entry, or of all if `name` is None, newest
        first.

        `before` is the id of the last record on the page before, or "" for the first page.
        """
        after = self._after.get(before)
        if before and after is None:
            return []
        page = self._api.get("changes", entry=name, limit=min(limit, PAGE), after=after)
        found = [change_from(one) for one in page["items"]]
        if found:
            self._after = {found[-1].id: page["next"]}
        return found


class RemoteRequests:
    """Reads and adds requests for runs by hand over the API of a daemon; it adds backfills only."""

    def __init__(self, api: Api, catalog: RemoteCatalog) -> None:
        self._api, self._catalog = api, catalog

    def find(self, query: Query) -> Iterator[Stored]:
        """Yield the entries that match a query."""
        return self._catalog.find(query)

    def existing(self, names: Sequence[str]) -> set[str]:
        """Return those of these names that have an entry which the daemon can read."""
        return self._catalog.existing(names)

    def requests(self, limit: int) -> Sequence[tuple[Request, None]]:
        """Return up to `limit` pending requests for runs, oldest first, each with None for its
        entry."""
        items = self._api.get("requests")["items"]
        return [
            (
                Request(
                    id="",
                    name=one["entry"],
                    kind=one["kind"],
                    first=datetime.fromisoformat(one["from"]),
                    last=datetime.fromisoformat(one["to"]),
                    revision=0,
                ),
                None,
            )
            for one in items[:limit]
        ]

    def add_requests(self, requests: Sequence[Request]) -> None:
        """Request runs of entries for past times, which are called backfills, over the API."""
        for one in requests:
            span = {"from": one.first.isoformat(), "to": one.last.isoformat()}
            self._api.send("POST", entry_path(one.name, "backfill"), span)

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        """Cancel the pending backfills of the entries in `changes`; other changes are not made."""
        for change in changes:
            self._api.send("DELETE", entry_path(change.name, "backfill"))
        return [True] * len(changes)


class _Missing:
    # A part of a store that the API does not have.
    def __getattr__(self, name: str) -> NoReturn:
        raise BeatError(f"the API has no {name.replace('_', ' ')}; run this where the store is")
