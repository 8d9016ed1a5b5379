"""Send the messages about incidents. A lease in the store makes one daemon send each message."""

from collections.abc import Collection
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from beatd.alerts.digest import Digest, reminder, sort_out
from beatd.alerts.incident_book import IncidentBook
from beatd.alerts.message import message_of
from beatd.daemon.alert_sender import AlertSender, Posted
from beatd.daemon.alerting import Alerting
from beatd.incident import INCIDENTS_PER_WRITE, Incident, IncidentKind

LEASE = timedelta(seconds=60)
RENEWED_BEFORE_END = timedelta(seconds=30)


class _UnderWay(Struct):
    """A message that is being sent, and the incidents that are settled when it is."""

    posted: Posted
    incidents: tuple[Incident, ...]
    leased_until: datetime


class AlertNews:
    """Sends a message when one is due, and notes in the store that it was sent.

    Only the first incident of a message is leased: while it is, no daemon sends a message with any
    of the others.
    """

    def __init__(self, alerting: Alerting, sender: AlertSender) -> None:
        self._alerting, self._sender = alerting, sender
        self._under_way: list[_UnderWay] = []

    def turn(
        self, book: IncidentBook, now: datetime, kinds: Collection[IncidentKind] | None = None
    ) -> None:
        """Settle the messages that were sent, and post those that are due; `kinds` limits them."""
        self._settle_sent(book, now)
        news = book.all()
        if kinds is not None:
            news = [one for one in news if one.kind in kinds]
        due = sort_out(news, book.outages(), now, self._alerting.wait)
        book.settle(due.settled, now)
        for digest in due.digests:
            self._post(book, digest, now)
        if self._alerting.again is not None and kinds is None:
            again = reminder(book.all(), now, self._alerting.again)
            if again is not None:
                self._post(book, again, now)

    def finish(self, book: IncidentBook, now: datetime) -> None:
        """Note which messages were sent, so that the next leader does not send them again.

        The end of the daemon waits for this, so large messages are left out.
        """
        for one in self._under_way:
            if one.posted.is_settled and len(one.incidents) <= INCIDENTS_PER_WRITE:
                book.settle(reversed(one.incidents), now)

    def _post(self, book: IncidentBook, digest: Digest, now: datetime) -> None:
        first, *others = digest.incidents
        [leased] = book.put([replace(first, leased_until=now + LEASE)])
        if leased is None:
            return  # another daemon was quicker
        incidents = (leased, *others)
        posted = self._sender.post(message_of(digest.about, incidents, now))
        self._under_way.append(_UnderWay(posted, incidents, now + LEASE))

    def _settle_sent(self, book: IncidentBook, now: datetime) -> None:
        for one in list(self._under_way):
            if one.posted.is_settled:
                self._under_way.remove(one)
                # The leased one last: until then no other daemon sends what is left of them.
                book.settle(reversed(one.incidents), now)
            elif one.leased_until - now < RENEWED_BEFORE_END:
                until = now + LEASE
                first = book.current(one.incidents[0])
                if first is not None and any(book.put([replace(first, leased_until=until)])):
                    one.leased_until = until
