"""The open incidents of a store, kept in the memory of one daemon."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from msgspec.structs import replace

from beatd.alerts.flapping import WITHIN, Opening, flaps_of
from beatd.alerts.outages import Outage, outages_in
from beatd.incident import Incident, IncidentKind, Incidents

Key = tuple[IncidentKind, str]
EARLIER_MAX = 2000  # incidents that are read for flapping when a daemon begins to lead
OUTAGES_MAX = 200
OUTAGES_COUNT_FOR = timedelta(days=31)


class IncidentBook:
    """Keeps open incidents in memory, and writes every change of an incident to the store first.

    Closed incidents are kept until their end is announced. `is_stale` is True before the first
    `load`, and after a write failed or another daemon changed an incident. Then `load` or `reload`
    must be called.
    """

    def __init__(self, store: Incidents) -> None:
        self._store = store
        self._kept: dict[tuple[Key, datetime], Incident] = {}
        self._opened: dict[str, dict[IncidentKind, Incident]] = {}
        self._earlier: dict[Key, list[Opening]] = {}
        self._past: list[Outage] = []
        self.is_stale = True

    def load(self, now: datetime) -> None:
        """Read open incidents, openings of the last day and outages of the last month."""
        self._earlier = {}
        for one in islice(self._store.incidents(None, EARLIER_MAX), EARLIER_MAX):
            if now - one.opened < WITHIN:
                self._note_opening(one)
        ended = islice(self._store.incidents("", OUTAGES_MAX), OUTAGES_MAX)
        self._past = [
            outage
            for outage in outages_in(ended)
            if outage.end is not None and now - outage.end < OUTAGES_COUNT_FOR
        ]
        self.reload()

    def reload(self) -> None:
        """Read only the incidents that are open, or whose end was not announced, from the store."""
        self._kept, self._opened = {}, {}
        for one in self._store.open_incidents():
            self._keep(one)
        self.is_stale = False

    def look_for_others(self, now: datetime) -> None:
        """Load again if an incident in the store that needs a message or an end is not the known
        one.

        A daemon that led earlier may write one at any time: it may have been frozen in its turn.
        And the store may have lost what this daemon wrote.
        """
        for one in self._store.open_incidents():
            known = self._kept.get(_place(one))
            if known is None or known.revision != one.revision:
                self.load(now)
                return

    def all(self) -> list[Incident]:
        """Return the incidents that are open, or whose end was not announced."""
        return list(self._kept.values())

    def opened(self, name: str) -> dict[IncidentKind, Incident]:
        """Return an entry's open incidents by kind; the name "" means the whole installation."""
        return dict(self._opened.get(name, {}))

    def current(self, incident: Incident) -> Incident | None:
        """Return the newest known version of an incident, or None if it needs no more messages."""
        return self._kept.get(_place(incident))

    def names(self) -> Iterator[str]:
        """Yield the names of the entries that have an open incident."""
        yield from [name for name, some in self._opened.items() if name and some]

    def counts(self) -> dict[IncidentKind, int]:
        """Return the number of open incidents by kind."""
        found: dict[IncidentKind, int] = {}
        for some in self._opened.values():
            for kind in some:
                found[kind] = found.get(kind, 0) + 1
        return found

    def outages(self) -> list[Outage]:
        """Return the outages that have not ended, and those that ended within the last month."""
        return [*self._past, *outages_in(self._opened.get("", {}).values())]

    def open(self, incidents: Iterable[Incident], now: datetime) -> list[Incident]:
        """Open incidents in the store; return them without those that are open already."""
        new = []
        for one in incidents:
            flaps = flaps_of(self._earlier.get((one.kind, one.name), ()), now)
            new.append(replace(one, revision=0, flaps=flaps))
        return [one for one in self.put(new) if one is not None]

    def close(self, ends: Iterable[tuple[Incident, str]], now: datetime) -> list[Incident]:
        """Close incidents, each with a reason; return them without those another daemon changed."""
        changed = []
        for one, why in ends:
            # The text may be the words of a server, which end with a full stop.
            observed = f"{one.observed.rstrip('.')}; over: {why}" if why else one.observed
            changed.append(replace(one, closed=max(now, one.opened), observed=observed))
        closed = [one for one in self.put(changed) if one is not None]
        self._past += outages_in(closed)
        return closed

    def put(self, incidents: Sequence[Incident]) -> list[Incident | None]:
        """Write incidents; return each as written, or None if another daemon changed it meanwhile.

        Each gets the next revision, a change counter. `is_stale` is True after a conflict or error.
        """
        if not incidents:
            return []
        next_ones = [replace(one, revision=one.revision + 1) for one in incidents]
        was_stale, self.is_stale = self.is_stale, True  # also if the store raises StoreError
        written = self._store.put_incidents(next_ones)  # by compare-and-set
        self.is_stale = was_stale or not all(written)
        put = []
        for one, is_written in zip(next_ones, written, strict=True):
            put.append(one if is_written else None)
            if is_written:
                if one.revision == 1:
                    self._note_opening(one)
                self._keep(one)
        return put

    def add_past(self, incident: Incident, now: datetime, why: str = "") -> None:
        """Record an incident that is over already, unless one of the same kind and name is open."""
        if incident.kind not in self.opened(incident.name):
            self.close([(one, why) for one in self.open([incident], now)], now)

    def settle(self, incidents: Iterable[Incident], now: datetime) -> None:
        """Record in the store that messages about these incidents were sent, or are not needed.

        Then any daemon may send the next message. If another daemon changed an incident meanwhile,
        the incident is read again and written once more.
        """
        open_at = {_place(one): one.closed is None for one in incidents}
        for _ in range(2):
            current = [self._kept[place] for place in open_at if place in self._kept]
            noted = [_noted(one, now, as_open=open_at[_place(one)]) for one in current]
            written = self.put(noted)
            if all(written):
                return
            self.reload()
            missed = zip(current, written, strict=True)
            open_at = {_place(one): open_at[_place(one)] for one, done in missed if done is None}

    def _keep(self, one: Incident) -> None:
        open_of_name = self._opened.setdefault(one.name, {})
        if one.closed is None:
            open_of_name[one.kind] = one
        elif one.kind in open_of_name and open_of_name[one.kind].opened == one.opened:
            del open_of_name[one.kind]
        if not open_of_name:
            self._opened.pop(one.name, None)
        if one.closed is not None and one.resolved is not None:
            self._kept.pop(_place(one), None)
        else:
            self._kept[_place(one)] = one

    def _note_opening(self, one: Incident) -> None:
        earlier = self._earlier.setdefault((one.kind, one.name), [])
        earlier[:] = [*earlier[-EARLIER_MAX:], Opening(one.opened, one.flaps)]


def _place(one: Incident) -> tuple[Key, datetime]:
    return (one.kind, one.name), one.opened


def _noted(one: Incident, now: datetime, *, as_open: bool) -> Incident:
    # `as_open` is True if the incident was open when the message was made.
    announced, resolved = one.announced or now, one.resolved
    if one.closed is not None and not as_open:
        resolved = now
    elif one.closed is None:
        announced = now  # by a reminder, too
    return replace(one, announced=announced, resolved=resolved, leased_until=None)
