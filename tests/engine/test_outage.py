"""How long a server that is away is left alone before the next try."""

from beatd.engine.outage import Outage
from beatd.events import BrokerAway, BrokerBack, Event
from tests.fake_clock import FakeClock


def test_the_pause_doubles_up_to_half_a_second_and_begins_anew_with_the_next_outage() -> None:
    told = list[Event]()
    outage = Outage(BrokerAway, BrokerBack, clock=FakeClock(), emit=told.append)
    for _ in range(2):
        outage.begin("refused")
        pauses = [outage.back_off().total_seconds() for _ in range(6)]
        assert pauses == [0.05, 0.1, 0.2, 0.4, 0.5, 0.5]
        outage.end()
    assert told == [BrokerAway("refused"), BrokerBack(0.0)] * 2
