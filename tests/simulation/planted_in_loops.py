"""Planted bugs of the loop and of clocks."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

import beatd.clock
import beatd.daemon.store_clock
import beatd.engine.tick
import beatd.stores.embedded.memory
from beatd.clock import StoreTime
from beatd.daemon.store_clock import StoreClock
from beatd.dispatch import Published
from beatd.engine.broker_outage import BrokerOutage
from beatd.engine.lookahead import Lookahead
from beatd.engine.outage import Outage
from beatd.engine.tick import Tick
from beatd.stores.embedded.memory import MemoryStore
from tests.simulation.planting import Patch, plant
from tests.simulation.server_clock import ServerClock

# the store's clock


@plant
def half_of_a_replys_way_is_taken_for_its_way_back(patch: Patch) -> None:
    heard = StoreClock._set

    def from_the_middle(
        self: StoreClock, reply: StoreTime, requested_at: float, replied_at: float
    ) -> bool:
        half = timedelta(seconds=(replied_at - requested_at) / 2)
        return heard(self, replace(reply, moment=reply.moment + half), requested_at, replied_at)

    patch.setattr(StoreClock, "_set", from_the_middle)


@plant
def a_clock_that_was_set_back_is_not_noticed(patch: Patch) -> None:
    patch.setattr(
        beatd.daemon.store_clock, "latest", lambda reply, trip: datetime.max.replace(tzinfo=UTC)
    )


@plant
def a_quicker_reply_does_not_set_the_clock(patch: Patch) -> None:
    heard = StoreClock._set

    def first_only(self: StoreClock, reply: StoreTime, *trip: float) -> bool:
        if self._best is not None and reply.server == self._server:
            return False
        return heard(self, reply, *trip)

    patch.setattr(StoreClock, "_set", first_only)


@plant
def a_difference_of_clocks_is_reported_too_small(patch: Patch) -> None:
    heard = StoreClock._set

    def halved(self: StoreClock, *more: Any) -> bool:
        try:
            return heard(self, *more)
        finally:
            self.offset_s /= 2

    patch.setattr(StoreClock, "_set", halved)


@plant
def a_new_leader_goes_by_an_old_clock(patch: Patch) -> None:
    read = StoreClock.set_if_older
    patch.setattr(
        StoreClock,
        "set_if_older",
        lambda self, store, seconds: None if seconds else read(self, store, seconds),
    )


@plant
def all_servers_are_thought_to_have_one_clock(patch: Patch) -> None:
    patch.setattr(ServerClock, "told", lambda self: StoreTime(self.now(), "the one"))


@plant
def clocks_are_thought_not_to_drift(patch: Patch) -> None:
    patch.setattr(beatd.clock, "MAX_DRIFT", 0.0)


# the loop


@plant
def a_row_that_moved_on_is_added_twice(patch: Patch) -> None:
    move_on = Lookahead.move_on
    patch.setattr(Lookahead, "move_on", lambda *given: [move_on(*given) for _ in range(2)])


@plant
def edits_are_never_noticed(patch: Patch) -> None:
    patch.setattr(Tick, "noticed_change", lambda self: None)
    patch.setattr(MemoryStore, "version", lambda self: "the same as ever")


@plant
def one_full_queue_means_that_the_broker_is_away(patch: Patch) -> None:
    def doubt(self: Published) -> str:
        outcomes = [result.outcome for result in self.unrecorded]
        return next((one.reason for one in outcomes if one.sent == "unsent"), "")

    patch.setattr(Published, "doubt", property(doubt))
    patch.setattr(Outage, "back_off", lambda self: timedelta(seconds=3))
    answers = BrokerOutage.answers
    patch.setattr(BrokerOutage, "answers", lambda self: not 0 < self.lasts < 3 and answers(self))


@plant
def a_broker_that_is_away_is_claimed_for(patch: Patch) -> None:
    patch.setattr(BrokerOutage, "answers", lambda self: True)


@plant
def a_tick_never_says_when_to_look_again(patch: Patch) -> None:
    patch.setattr(Lookahead, "next_look", lambda self, now: now)
