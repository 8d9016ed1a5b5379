"""Planted bugs of incidents and of what people are told of them."""

from datetime import datetime, timedelta
from typing import Any

import beatd.alerts.judge
import beatd.daemon.alert_news
import beatd.stores.embedded.memory
from beatd.alerts.judge import Finding
from beatd.daemon.alert_news import AlertNews
from beatd.stores.embedded.memory import MemoryStore
from tests.simulation.planting import Patch, plant

# incidents


@plant
def a_new_leader_does_not_look_for_open_incidents(patch: Patch) -> None:
    patch.setattr(MemoryStore, "open_incidents", lambda self: [])
    put = MemoryStore._put

    def careless(self: MemoryStore, one: Any) -> bool:
        self._tables.open_incidents.pop((one.kind, one.name), None)
        return put(self, one)

    patch.setattr(MemoryStore, "_put", careless)


@plant
def an_incident_opens_again_for_the_same_failure(patch: Patch) -> None:
    failed = beatd.alerts.judge._RULES["failed"]

    def forgetful(facts: Any, opened: Any, at: Any) -> Any:
        if opened is not None and at.now - opened.opened > timedelta(seconds=1):
            return Finding("failed", False, "it is enough")
        return failed(facts, opened, at)

    patch.setitem(beatd.alerts.judge._RULES, "failed", forgetful)


@plant
def what_was_sent_is_not_noted(patch: Patch) -> None:
    def forgetful(self: AlertNews, book: Any, now: datetime) -> None:
        self._under_way = [one for one in self._under_way if not one.posted.is_settled]

    patch.setattr(AlertNews, "_settle_sent", forgetful)
    patch.setattr(beatd.daemon.alert_news, "LEASE", timedelta(seconds=1))


@plant
def a_message_is_noted_and_not_sent(patch: Patch) -> None:
    def silent(self: AlertNews, book: Any, digest: Any, now: datetime) -> None:
        book.settle(digest.incidents, now)

    patch.setattr(AlertNews, "_post", silent)


@plant
def a_message_is_not_sent_and_not_noted(patch: Patch) -> None:
    patch.setattr(AlertNews, "_post", lambda *more: None)


@plant
def a_success_does_not_close_an_incident(patch: Patch) -> None:
    failed = beatd.alerts.judge._RULES["failed"]

    def stubborn(facts: Any, opened: Any, at: Any) -> Any:
        return None if opened is not None else failed(facts, opened, at)

    patch.setitem(beatd.alerts.judge._RULES, "failed", stubborn)
