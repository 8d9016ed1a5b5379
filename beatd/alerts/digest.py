"""Group incidents into messages. Incidents of the same kind and cause share one message."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from beatd.alerts.flapping import FLAPS_SAID, is_mute
from beatd.alerts.message import About
from beatd.alerts.outages import Outage, outage_at
from beatd.incident import Incident

#: Kinds of incidents without a message about their end: they last for a moment only.
WITHOUT_END = frozenset({"store went back"})
QUIET_PART = 0.2  # of `wait`, in which no further incident has joined a message that is due
WAITS_MAX = 4  # a message waits no longer than so many times `wait`


class Digest(Struct, frozen=True):
    """The incidents about which people get one common message, oldest first."""

    about: About
    incidents: tuple[Incident, ...]


class Sorted(Struct, frozen=True):
    """Incidents, divided into those with a due message and those that need no message.

    `digests` are the messages that are due; `settled` are the incidents that need none.
    """

    digests: tuple[Digest, ...] = ()
    settled: tuple[Incident, ...] = ()


def sort_out(
    incidents: Iterable[Incident], outages: Sequence[Outage], now: datetime, wait: timedelta
) -> Sorted:
    """Return the messages that are due at `now`, and the incidents that need no message.

    A message is due when its oldest incident is `wait` old and no further incident has joined it
    for a fifth of `wait`, but at the latest after 4 times `wait`. These times are doubled for
    "outcomes away". No message is due while another daemon sends one about its incidents. If that
    daemon did not record that its message was sent, the message is sent again: without further
    incidents, so that it has the same id.

    An incident that an outage may have caused waits until the outage is over, and needs no message
    if it is closed by then. Incidents that open too often (see `flapping`) need none, nor do
    incidents of the whole installation that closed before they were announced.
    """
    groups: dict[tuple[About, str, str, bool, datetime | None], list[Incident]] = {}
    settled: list[Incident] = []
    for one in sorted(incidents, key=lambda incident: (incident.opened, incident.name)):
        causes = _causes_of(one, outages)
        outage = outage_at(causes, one.opened, wait)
        leased = _leased([one], now)  # its message is on its way, and has others of the group
        if not leased and _needs_no_message(one, outage):
            settled.append(one)
        elif leased or outage is None or outage_at(causes, now, wait) is None or one.announced:
            about: About | None = "opened" if leased and not one.announced else _about(one)
            if about is not None:
                ended_lease = None if leased else one.leased_until
                key = (about, one.kind, one.cause, one.flaps >= FLAPS_SAID, ended_lease)
                groups.setdefault(key, []).append(one)
    due = [
        Digest(about, tuple(some))
        for (about, *_), some in groups.items()
        if _is_due(about, some, now, wait)
    ]
    return Sorted(tuple(due), tuple(settled))


def reminder(incidents: Iterable[Incident], now: datetime, again: timedelta) -> Digest | None:
    """Return one message about all open incidents that were announced, or None if none is due.

    A reminder is due when the last message about one of them is at least `again` old, unless a
    daemon is sending one now. Incidents with a message younger than half of `again` are left out,
    and so are incidents that open again and again.
    """
    announced = [
        one
        for one in incidents
        if one.closed is None and one.announced is not None and one.flaps < FLAPS_SAID
    ]
    if not any(_since_message(one, now) >= again for one in announced) or _leased(announced, now):
        return None
    old = [one for one in announced if _since_message(one, now) >= again / 2]
    return Digest("reminder", tuple(sorted(old, key=lambda one: (one.opened, one.name))))


def _causes_of(one: Incident, outages: Sequence[Outage]) -> Sequence[Outage]:
    # Any outage may cause an incident of an entry. Of the incidents of the whole installation, only
    # "outcomes away" (outcomes cannot be read) may be caused by another outage.
    if one.name:
        return outages
    if one.kind != "outcomes away":
        return ()
    # The leader notices a broker that is away only when it publishes, which may be later.
    return [
        Outage(outage.kind, min(outage.begin, one.opened), outage.end)
        for outage in outages
        if outage.kind != one.kind and (outage.end is None or outage.end >= one.opened)
    ]


def _since_message(incident: Incident, now: datetime) -> timedelta:
    return now - (incident.announced or now)


def _needs_no_message(one: Incident, outage: Outage | None) -> bool:
    if is_mute(one.flaps):
        return one.announced is None or (one.closed is not None and one.resolved is None)
    if one.closed is None:
        return False
    if one.announced is None:
        return (outage is not None or not one.name) and one.kind not in WITHOUT_END
    return one.kind in WITHOUT_END or one.flaps == FLAPS_SAID


def _about(one: Incident) -> About | None:
    # The result is None if no message about the incident is left.
    if one.announced is None and (one.closed is None or one.kind in WITHOUT_END):
        return "opened"
    if one.closed is not None and one.resolved is None:
        return "resolved"
    return None


def _is_due(about: About, some: Sequence[Incident], now: datetime, wait: timedelta) -> bool:
    if _leased(some, now):
        return False  # a daemon sends the first message about them at this moment
    if about == "opened" and some[0].kind == "outcomes away":
        wait *= 2  # the broker may turn out to be the cause
    times = [one.opened if about == "opened" else one.closed or one.opened for one in some]
    is_quiet = max(times) + wait * QUIET_PART <= now
    return min(times) + wait <= now and (is_quiet or min(times) + wait * WAITS_MAX <= now)


def _leased(some: Sequence[Incident], now: datetime) -> bool:
    return any(one.leased_until is not None and one.leased_until > now for one in some)
