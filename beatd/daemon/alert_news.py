"""Decide when to send messages about incidents, the detected problems, and record each sending.

A lease in the store (a lock that expires) ensures that only one daemon sends each message.
"""

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
    """A message that is being sent, and the incidents to mark as announced once it is sent."""

    posted: Posted
    incidents: tuple[Incident, ...]
    leased_until: datetime


class AlertNews:
    """Sends the due alert messages, and records in the store that they were sent.

    The incidents of a message get a lease in the store (a lock that expires). Until the lease ends,
    no other daemon sends a message about them.
    """

    def __init__(self, alerting: Alerting, sender: AlertSender) -> None:
        self._alerting, self._sender = alerting, sender
        self._under_way: list[_UnderWay] = []

    def turn(
        self, book: IncidentBook, now: datetime, kinds: Collection[IncidentKind] | None = None
    ) -> None:
        """Start to send the messages that are due, and record which earlier ones were sent.

        If `kinds` is given, only incidents of these kinds are announced, and no reminders are sent.
        """
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
        """Record in the store which messages were sent, so that no other daemon sends them again.

        To be quick, messages about more than INCIDENTS_PER_WRITE incidents are left out.
        """
        for one in self._under_way:
            if one.posted.is_settled and len(one.incidents) <= INCIDENTS_PER_WRITE:
                book.settle(one.incidents, now)

    def _post(self, book: IncidentBook, digest: Digest, now: datetime) -> None:
        until = now + LEASE
        put = book.put([replace(one, leased_until=until) for one in digest.incidents])
        incidents = tuple(one for one in put if one is not None)
        if not incidents:
            return  # another daemon was quicker
        posted = self._sender.post(message_of(digest.about, incidents, now))
        self._under_way.append(_UnderWay(posted, incidents, until))

    def _settle_sent(self, book: IncidentBook, now: datetime) -> None:
        for one in list(self._under_way):
            if one.posted.is_settled:
                book.settle(one.incidents, now)
                self._under_way.remove(one)  # not before: if the store fails, it is tried again
            elif one.leased_until - now < RENEWED_BEFORE_END:
                self._renew(book, one, now + LEASE)

    def _renew(self, book: IncidentBook, message: _UnderWay, until: datetime) -> None:
        current = [book.current(one) for one in message.incidents]
        leased = [replace(one, leased_until=until) for one in current if one is not None]
        if all(book.put(leased)):
            message.leased_until = until
