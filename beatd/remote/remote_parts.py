"""The other parts of a store that commands read, over the API of a daemon."""

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
    """Return a daemon's API as the parts of a store, without those that only daemons use."""
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
    """The outcomes of the entries that a catalog has read."""

    def __init__(self, catalog: RemoteCatalog) -> None:
        self._catalog = catalog

    def entry_outcomes(self, names: Sequence[str]) -> Mapping[str, EntryOutcome]:
        """Return the newest outcome of each of these entries, by name."""
        known = self._catalog.outcomes
        return {name: known[name] for name in names if name in known}


class RemoteHistory:
    """The history, as the API answers it."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        """Yield up to `limit` records, newest first: of one entry, or of all if None."""
        return map(record_from, history_json(self._api, name, limit))


def history_json(
    api: Api, name: str | None, limit: int | None, **filters: str | datetime | None
) -> Iterator[dict[str, Any]]:
    """Yield up to `limit` records as JSON, newest first; nothing for an unknown entry.

    `filters` are the parameters `state`, `since` and `until` of the API.
    """
    path = "history" if name is None else entry_path(name, "history")
    try:
        yield from api.pages(path, limit, **filters)
    except UnknownEntry:
        return


class RemoteIncidents:
    """The incidents, as the API answers them."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def open_incidents(self) -> list[Incident]:
        """Return the open incidents, oldest first."""
        found = [incident_from(one) for one in self._api.pages("incidents", state="open")]
        return found[::-1]

    def incidents(self, name: str | None, limit: int | None) -> Iterator[Incident]:
        """Yield up to `limit` incidents of an entry, or of all, the last opened first."""
        return map(incident_from, self._api.pages("incidents", limit, entry=name))


class RemoteChanges:
    """The records of changes, as the API answers them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._after: dict[str, str | None] = {}  # id of the last record of a page -> the next page

    def changes(self, name: str | None, limit: int, before: str = "") -> Sequence[ChangeRecord]:
        """Return up to `limit` records, newest first; `before` is the last record of a page."""
        after = self._after.get(before)
        if before and after is None:
            return []
        page = self._api.get("changes", entry=name, limit=min(limit, PAGE), after=after)
        found = [change_from(one) for one in page["items"]]
        if found:
            self._after = {found[-1].id: page["next"]}
        return found


class RemoteRequests:
    """The requests for runs by hand, of which the API accepts backfills."""

    def __init__(self, api: Api, catalog: RemoteCatalog) -> None:
        self._api, self._catalog = api, catalog

    def find(self, query: Query) -> Iterator[Stored]:
        """Yield the entries that match."""
        return self._catalog.find(query)

    def requests(self, limit: int) -> Sequence[tuple[Request, None]]:
        """Return the pending requests, oldest first, without their entries."""
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
        """Request backfills."""
        for one in requests:
            span = {"from": one.first.isoformat(), "to": one.last.isoformat()}
            self._api.send("POST", entry_path(one.name, "backfill"), span)

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        """Call off the backfills of the entries of these changes."""
        for change in changes:
            self._api.send("DELETE", entry_path(change.name, "backfill"))
        return [True] * len(changes)


class _Missing:
    """A part of a store that the API does not have."""

    def __getattr__(self, name: str) -> NoReturn:
        raise BeatError(f"the API has no {name.replace('_', ' ')}; run this where the store is")
