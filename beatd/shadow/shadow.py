"""The daemon of `beatd --shadow`, which sends nothing and compares itself with another
scheduler."""

import logging

from msgspec.structs import replace

from beatd.clock import SystemClock
from beatd.config import Config, Lock, Store
from beatd.daemon.parts import Parts
from beatd.dispatches.step_dispatch import StepDispatch
from beatd.events import Event, Observer, Sent
from beatd.observers.log import LogObserver
from beatd.shadow.followed_entries import followed_entries
from beatd.shadow.overlapping_ledger import OverlappingLedger
from beatd.shadow.report import report_file, store_file
from beatd.shadow.saved_tally import SavedTally
from beatd.shadow.sent_listener import SentListener
from beatd.shadow.silent_publisher import SilentPublisher
from beatd.store import Roles
from beatd.wiring.build import celery_app, daemon_of

log = logging.getLogger("beatd")


class Shadow:
    """Runs a daemon that plans runs, sends nothing, and compares its plans with another scheduler.

    The daemon has its own store. A listener, started at once, receives the other scheduler's
    messages.
    """

    def __init__(self, config: Config, *observers: Observer) -> None:
        self.has_app = config.app is not None
        clock, app = SystemClock(), celery_app(config)
        tally = SavedTally(report_file(config), clock)
        publisher = SilentPublisher(tally)
        declaring, self._close_followed = followed_entries(config, clock, app, tally)
        log_event = LogObserver()

        def log_unless_sent(event: Event) -> None:
            # A line "published …" would not be true.
            if not isinstance(event, Sent):
                log_event(event)

        def parts(made: Parts) -> Parts:
            def store() -> Roles:
                roles = made.store()
                return replace(roles, ledger=OverlappingLedger(roles.ledger))

            return replace(
                made,
                store=store,
                publisher=lambda: publisher,
                dispatch=lambda claims, sender: StepDispatch(
                    ledger=claims, publisher=sender, clock=clock
                ),
                declaring=declaring,
                outcomes=None,  # the reports are about runs of another daemon
                alerts=None,  # the other scheduler publishes, and nothing of it is judged
            )

        own_store = Store(url=f"sqlite:///{store_file(config)}")
        self.daemon = daemon_of(
            replace(config, store=own_store, lock=Lock(), http=None),
            clock=clock,
            app=app,
            observers=(log_unless_sent, *observers),
            parts=parts,
        )
        self._listener = SentListener(app, tally)

    def open(self) -> None:
        log.info("a shadow: it sends nothing; beatd status --shadow shows its report")

    def close(self) -> None:
        """Stop listening, save the report, and close the real daemon's store."""
        self._listener.close()
        self._close_followed()
