"""Alerts of daemons with a sender that records: what is told of each incident, and how often."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from beatd.alerts.flapping import FLAPS_SAID
from beatd.alerts.judge import REJECTED
from beatd.alerts.message import Message
from beatd.alerts.outages import outage_at, outages_in
from beatd.alerts.watched import Watched
from beatd.daemon.alert_sender import Posted
from beatd.daemon.alert_thread import AlertThread
from beatd.daemon.alerting import Alerting
from beatd.incident import Incident
from beatd.outcome import DELIVERY_ENDS, Delivery
from tests.simulation.world import Process, Violation, World

WAIT = timedelta(seconds=2)
TOLD_WITHIN = WAIT * 4 + timedelta(seconds=3)
JUDGED_WITHIN_S = 2.0  # of the moment at which the store got to know of it
RETRY_S = 1.0
FAILURES = {"failed", "expired", "revoked", "lost"}
ALERT = {"failed": 1, "late": "3s", "running": "3s"}
Key = tuple[str, str]  # the kind and the name of an incident
LEASED_S = 40.0  # of 60, as the sender may have been frozen


@dataclass(frozen=True)
class Sent:
    process: Process
    at: float
    leased_at: float  # when the process had the lease written under which it sent


@dataclass
class Told:
    """All incidents, and the messages that people received about them."""

    world: World
    opened: dict[Key, list[Incident]] = field(default_factory=lambda: defaultdict(list))
    messages: dict[tuple[str, Key], set[str]] = field(default_factory=lambda: defaultdict(set))
    sent: dict[str, Sent] = field(default_factory=dict)  # by the id of a message
    newest: dict[tuple[str, Key], Sent] = field(default_factory=dict)
    told_again: Counter[tuple[str, Key]] = field(default_factory=Counter)  # with a reason
    unanswered: set[str] = field(default_factory=set)  # ids of which the answer was lost
    clocks_agree: bool = True
    reported_at: dict[str, float] = field(default_factory=dict)  # the newest outcome, by entry
    failed: dict[str, tuple[str, str]] = field(default_factory=dict)  # newest failure by entry
    causes: set[tuple[str, tuple[str, str]]] = field(default_factory=set)  # of which one opened
    leased_at: dict[tuple[Process | None, Key], float] = field(default_factory=dict)
    lost_at: float = float("-inf")  # when the store lost what it had noted
    lost: set[tuple[str, str, datetime, int]] = field(default_factory=set)  # and which revisions

    def reported(self, deliveries: Sequence[Delivery]) -> None:
        for one in deliveries:
            self.reported_at[one.name] = self.world.elapsed()
            if one.state in FAILURES:
                self.failed[one.name] = one.task_id, one.delivery

    def written(self, before: Incident | None, one: Incident, open_now: int) -> None:
        """An incident was written: it opens and closes once, and alone.

        A daemon that wrote a revision which was lost cannot see that another daemon has written a
        revision of this number since.
        """
        key = one.kind, one.name
        if one.leased_until is not None:
            # The first one counts: its message may still be on the way when the next is written.
            self.leased_at.setdefault((self.world.process, key), self.world.elapsed())
        if open_now > 1:
            raise Violation(f"A1 {open_now} incidents are open at once: {key}")
        if before is not None:
            was_lost = (*key, before.opened, before.revision) in self.lost
            if before.closed is not None and one.closed != before.closed and not was_lost:
                raise Violation(f"A1 an incident that was closed is changed: {one}")
            return
        self.world.seen["an incident was opened"] += 1
        self.opened[key].append(one)
        if one.kind != "failed" or one.cause == REJECTED:
            return
        cause = one.name, self.failed.get(one.name, ("", ""))
        # Whether a failure came before a pause is seen by clocks, which may disagree.
        if cause in self.causes and self.clocks_agree:
            raise Violation(f"A2 {one.name} has a second incident of one failure: {cause[1]}")
        self.causes.add(cause)

    def receives(self, process: Process, message: Message) -> None:
        """People receive a message: a second one about the same follows a fault."""
        self.world.seen[f"people were told: {message.type}"] += 1
        now, names = self.world.elapsed(), message.entries or ("",)
        leased = [self.leased_at.pop((process, (message.kind, name)), now) for name in names]
        before = self.sent.get(message.id)
        if before is not None:  # the same message
            leased.append(before.leased_at)
        sent = Sent(process, now, min(leased))
        if before is not None and message.id not in self.unanswered:
            self._look_for_lease(before, sent, message)
        self.sent[message.id] = sent
        if message.kind == "store away":
            return  # said without a row, as none can be written
        for name in names:
            key = message.kind, name
            about = message.type, key
            ids = self.messages[about]
            ids.add(message.id)
            if len(ids) > len(self.opened[key]) + self.told_again[about]:
                self._look_for_lease(self.newest[about], sent, message)
                self.told_again[about] += 1
            self.newest[about] = sent

    def _look_for_lease(self, before: Sent, sent: Sent, message: Message) -> None:
        """Raise Violation if a daemon tells again what another one may still be telling.

        After a loss, nobody knows of a lease that was written before.
        """
        if min(before.leased_at, sent.leased_at) <= self.lost_at:
            self.world.seen["people were told again after a loss"] += 1
            return
        if before.process is sent.process:
            raise Violation(f"A3 one daemon has told of it twice: {message.title}")
        if self.clocks_agree and sent.at - before.at < LEASED_S:
            raise Violation(f"A3 told again after {sent.at - before.at:.1f} s: {message.title}")
        self.world.seen["people were told again by the next leader"] += 1

    def look_for_untold(
        self, store: Any, leader: Any, lasting: Collection[str], unread: str = ""
    ) -> None:
        """Raise Violation if an incident should be closed, or should have been told of.

        `lasting` are the kinds whose cause goes on. The leader cannot read entries whose names
        begin with `unread`, if it is given.
        """
        now, announced = leader.now(), Counter[Key]()
        incidents = list(store.incidents(None, None))
        # A message waits while another daemon may still send one about the same kind and cause.
        leased = {
            (one.kind, one.cause)
            for one in incidents
            if one.leased_until is not None and one.leased_until > now
        }
        outages = outages_in(incidents)
        is_quiet = (
            outage_at(outages, now, WAIT) is None
        )  # a queue that is full is one again and again
        for one in incidents:
            key = one.kind, one.name
            if one.announced is not None and one.closed is None and one.flaps < FLAPS_SAID:
                announced[key] += 1
            waits = one.announced is None and one.resolved is None
            waits &= is_quiet or not one.name or outage_at(outages, one.opened, WAIT) is None
            waits &= not self._was_told_and_lost(key)
            if waits and (one.kind, one.cause) not in leased and now - one.opened > TOLD_WITHIN:
                raise Violation(f"A4 nobody was told of {one}")
            is_unread = unread and one.name.startswith(unread) and store.existing([one.name])
            if one.closed is None and one.kind not in lasting and not is_unread:
                self._look_for_over(one, store, leader)
        for key, count in announced.items():
            if len(self.messages["opened", key]) < count:
                raise Violation(f"A4 noted as told, and nobody was: {key}")

    def _was_told_and_lost(self, key: Key) -> bool:
        """Whether the store may have lost the note that people were told."""
        both = [self.newest.get((type_, key)) for type_ in ("opened", "resolved")]
        return any(sent is not None and sent.leased_at <= self.lost_at for sent in both)

    def _look_for_over(self, one: Incident, store: Any, leader: Any) -> None:
        if not one.name:
            is_over = one.kind in ("nobody leads", "store away")
            is_over |= one.kind == "broker away" and leader.engine.broker_outage.over
        elif one.name not in leader.alarms.watched.entries:
            is_over = True
        else:
            outcome = store.entry_outcomes([one.name]).get(one.name)
            # Not by the time of the report: the clock of a host may be ahead of the workers'.
            since_s = self.world.elapsed() - self.reported_at.get(one.name, 0.0)
            is_over = (outcome is not None and since_s > JUDGED_WITHIN_S) and (
                (one.kind == "failed" and one.cause != REJECTED and outcome.successes > 0)
                or (one.kind == "running" and outcome.newest.state in DELIVERY_ENDS)
            )
        if is_over:
            raise Violation(f"A5 the cause is gone, and it is still open: {one}")


class RecordingSender:
    """Sends the messages of one process, over a wire that may break."""

    def __init__(self, wire: Any, told: Told) -> None:
        self._wire, self._told = wire, told

    def post(self, message: Message) -> Posted:
        posted = Posted(message, 1)
        self._wire.world.spawn(self._wire.process, lambda: self._send(posted))
        return posted

    def _send(self, posted: Posted) -> None:
        wire, id = self._wire, posted.message.id
        while True:
            if wire.pass_by("alert") != "error":
                self._told.receives(wire.process, posted.message)
                self._told.unanswered.discard(id)
                if wire.pass_by("alert", answered=True) == "lost":
                    self._told.unanswered.add(id)
                else:
                    posted.ended(sent=True, was_failing=False)
                    return
            wire.world.sleep(RETRY_S)

    def stop(self) -> None: ...


class Alarms:
    """The thread of alerts of one daemon, as `wiring.alerting` makes it, without its channels."""

    def __init__(self, wire: Any, told: Told) -> None:
        self._wire, self._told = wire, told
        self.watched = Watched(elapsed=lambda: 0.0)

    def __call__(self, state: Any, observer: Any) -> AlertThread:
        self.watched = Watched(elapsed=state.clock.elapsed)
        state.alarms = self
        made = AlertThread(Alerting(wait=WAIT), self.watched, state=state, observer=observer)
        sender: Any = RecordingSender(self._wire, self._told)
        made._sender = made._news._sender = sender
        return made
