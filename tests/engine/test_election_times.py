"""For how long a daemon leads, waits and stays out, and whom it sees leading."""

import pytest
from msgspec.structs import replace

from beatd.engine.election import Election
from beatd.errors import StoreError
from beatd.events import Event, LeaderSeen, LeadLost, LeadWon, WentBack
from beatd.leader import Holder, Term
from tests.fake_clock import FakeClock
from tests.fake_lease import FakeLease, holder


class Lease(FakeLease):
    """A lease that remembers who began each term."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.began: list[Holder] = []

    def begin(self, holder: Holder) -> Term:
        self.began.append(holder)
        return super().begin(holder)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def lease(clock: FakeClock) -> Lease:
    return Lease(clock)


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def daemon(lease: Lease, clock: FakeClock, told: list[Event]) -> Election:
    return Election(
        lease=lease, terms=lease, me=holder("a"), clock=clock, ttl=2.0, emit=told.append
    )


def test_a_lead_lasts_for_the_ttl_less_an_eighth(daemon: Election, clock: FakeClock) -> None:
    assert (daemon.ttl, daemon.margin(), daemon.lead()) == (2.0, 0.0, None)
    lead = daemon.campaign()
    assert lead is not None and daemon.lead() == lead
    assert (lead.until, daemon.margin()) == (clock.elapsed() + 1.75, 1.75)
    clock.advance(seconds=1.5)
    assert (daemon.margin(), daemon.trusts(lead.term)) == (0.25, True)
    assert daemon.trusts(Term(lead.term.number, "another")) is False
    clock.advance(seconds=0.25)
    assert (daemon.lead(), daemon.margin(), daemon.trusts(lead.term)) == (None, 0.0, False)
    clock.advance(seconds=1)
    assert daemon.margin() == 0.0


@pytest.mark.parametrize(("ttl", "standby_s", "leader_s"), [(2.0, 0.1, 0.5), (0.4, 0.05, 0.1)])
def test_a_leader_renews_four_times_in_a_ttl_and_a_standby_tries_more_often(
    lease: Lease, clock: FakeClock, ttl: float, standby_s: float, leader_s: float
) -> None:
    daemon = Election(lease=lease, terms=lease, me=holder("a"), clock=clock, ttl=ttl)
    assert daemon.pause() == standby_s
    daemon.campaign()
    assert daemon.pause() == leader_s


def test_a_term_begins_with_the_moment_at_which_it_began(
    daemon: Election, lease: Lease, clock: FakeClock
) -> None:
    clock.advance(seconds=100)
    daemon.campaign()
    assert lease.began == [replace(holder("a"), since=clock.now())]


@pytest.mark.parametrize(("slow", "wins"), [(1.7, True), (1.75, False), (1.8, False)])
def test_a_lease_that_came_too_late_begins_no_term(
    daemon: Election, lease: Lease, slow: float, wins: bool
) -> None:
    lease.slow = slow
    assert (daemon.campaign() is not None) is wins
    assert len(lease.began) == wins


def test_a_daemon_that_stepped_down_stays_out_for_just_one_ttl(
    daemon: Election, lease: Lease, clock: FakeClock, told: list[Event]
) -> None:
    assert daemon.campaign()
    daemon.step_down("broken")
    assert (lease.held, told[-1]) == (None, LeadLost("broken", holder("a")))
    clock.advance(seconds=1.9)
    assert daemon.campaign() is None
    assert lease.held is None
    clock.advance(seconds=0.1)
    assert daemon.campaign() is not None


def test_a_daemon_that_is_closed_leads_no_more(daemon: Election, lease: Lease) -> None:
    assert daemon.campaign()
    daemon.close()
    assert (daemon.lead(), daemon.campaign(), lease.held) == (None, None, None)


def test_each_other_leader_is_seen_once(
    daemon: Election, lease: Lease, clock: FakeClock, told: list[Event]
) -> None:
    assert daemon.holder() is None
    for name in ("b", "b", "c", "b"):
        lease.held = (holder(name), clock.elapsed() + 1)
        assert daemon.campaign() is None
        assert daemon.holder() == holder(name)
    assert told == [LeaderSeen(holder(name)) for name in ("b", "c", "b")]
    lease.held = None
    daemon.campaign()
    assert (type(told[-1]), daemon.holder()) == (LeadWon, holder("a"))
    lease.held = (holder("c"), clock.elapsed() + 1)
    daemon.campaign()
    assert told[-2:] == [LeaderSeen(holder("c")), LeadLost("c holds the lease", holder("c"))]


def test_a_lead_that_ran_out_is_lost_and_won_again(
    daemon: Election, clock: FakeClock, told: list[Event]
) -> None:
    first = daemon.campaign()
    clock.advance(seconds=1.75)
    again = daemon.campaign()
    assert first is not None and again is not None and first.term != again.term
    lost = LeadLost("the lease was not renewed in time", holder("a"))
    assert told == [LeadWon(first.term), lost, LeadWon(again.term)]


def test_an_error_leaves_the_lead_until_its_time_is_over(
    daemon: Election, lease: Lease, clock: FakeClock, told: list[Event]
) -> None:
    lead = daemon.campaign()
    lease.trouble = StoreError("refused")
    clock.advance(seconds=1)
    assert daemon.campaign() == lead
    assert daemon.lock_trouble == ""  # one failure is no outage
    clock.advance(seconds=0.75)
    assert daemon.campaign() is None
    assert (daemon.lock_trouble, told[-1]) == ("refused", LeadLost("refused", holder("a")))
    lease.trouble = None
    daemon.campaign()
    assert daemon.lock_trouble == ""


def test_a_newer_term_than_this_daemon_won_is_no_loss(daemon: Election, told: list[Event]) -> None:
    daemon.saw(Term(5, "b"))
    daemon.saw(Term(4, "c"))
    assert [type(event) for event in told] == [WentBack]
    daemon.campaign()
    assert [type(event) for event in told] == [WentBack, WentBack, LeadWon]


def test_failures_that_a_success_parts_are_no_outage_of_the_lock(
    daemon: Election, lease: Lease, told: list[Event]
) -> None:
    for _ in range(3):
        lease.trouble = StoreError("refused")
        daemon.campaign()
        lease.trouble = None
        daemon.campaign()
    assert [type(event) for event in told] == [LeadWon]


def test_a_leader_that_cannot_work_says_so(
    lease: Lease, clock: FakeClock, told: list[Event]
) -> None:
    can = [True, False]
    daemon = Election(
        lease=lease, terms=lease, me=holder("a"), clock=clock, emit=told.append,
        may_lead=lambda: can.pop(0),
    )  # fmt: skip
    assert (daemon.campaign() is not None, daemon.campaign(), lease.held) == (True, None, None)
    assert isinstance(told[-1], LeadLost) and told[-1].reason.startswith("cannot work here: ")


def test_what_is_won_while_the_lease_is_given_up_is_given_up_too(
    lease: Lease, clock: FakeClock
) -> None:
    told: list[Event] = []

    def emit(event: Event) -> None:
        told.append(event)
        if len(told) == 2:  # lost; another thread campaigns before the lease is released
            mine.campaign()

    mine = Election(lease=lease, terms=lease, me=holder("a"), clock=clock, emit=emit)
    mine.campaign()
    mine.resign()
    assert [type(event) for event in told] == [LeadWon, LeadLost, LeadWon, LeadLost]
    assert (mine.lead(), lease.held) == (None, None)
