"""Who requests the URL of the monitor elsewhere."""

from beatd.alerts.channel import NotDelivered
from beatd.daemon.daemon_state import DaemonState
from beatd.daemon.heartbeat import PING_EVERY_S, Heartbeat
from beatd.events import AlertNotSent, Event
from tests.fake_clock import FakeClock
from tests.stores.making import holder


class Head(DaemonState):
    leads, lives = True, True

    def leading(self) -> bool:
        return self.leads

    def alive(self) -> bool:
        return self.lives


def test_only_a_leader_whose_ticks_make_progress_pings() -> None:
    clock, pings, heard = FakeClock(), list[float](), list[Event]()
    head = Head(me=holder(), clock=clock)
    beat = Heartbeat(lambda: pings.append(clock.elapsed()), state=head, observer=heard.append)
    for _ in range(61):
        clock.advance(seconds=beat.turn())
    assert len(pings) == 3 and pings[1] - pings[0] == PING_EVERY_S
    for leads, lives in ((False, True), (True, False)):
        head.leads, head.lives = leads, lives
        clock.advance(seconds=100)
        beat.turn()
    assert len(pings) == 3
    head.leads = head.lives = True
    beat.turn()
    assert len(pings) == 4


def test_a_monitor_that_is_away_is_reported_once_until_it_is_back() -> None:
    clock, heard, works = FakeClock(), list[Event](), [False, False, True, False]

    def ping() -> None:
        if not works.pop(0):
            raise NotDelivered("no connection")

    beat = Heartbeat(ping, state=Head(me=holder(), clock=clock), observer=heard.append)
    for _ in range(4):
        beat.turn()
        clock.advance(seconds=PING_EVERY_S)
    assert heard == [AlertNotSent("heartbeat", "heartbeat", "no connection", final=False)] * 2
