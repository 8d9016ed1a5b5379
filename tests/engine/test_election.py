"""Who leads, and for how long it may believe so."""

import threading
from collections.abc import Callable

import pytest

from beatd.engine.election import Election
from beatd.errors import ProgramTooOld, StoreEmptied, StoreError
from beatd.events import RESIGNED, Event, LeadLost, LeadWon, LockAway, LockBack, WentBack
from beatd.leader import Holder, Term
from tests.fake_clock import FakeClock
from tests.fake_lease import FakeLease, holder
from tests.waiting import until

TTL = 2.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def lease(clock: FakeClock) -> FakeLease:
    return FakeLease(clock)


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def daemons(lease: FakeLease, clock: FakeClock, told: list[Event]) -> list[Election]:
    return [
        Election(lease=lease, terms=lease, me=holder(n), clock=clock, ttl=TTL, emit=told.append)
        for n in "abc"
    ]


def test_one_of_three_leads(daemons: list[Election]) -> None:
    won = [daemon.campaign() for daemon in daemons]
    assert [lead is not None for lead in won] == [True, False, False]
    assert daemons[1].holder() == holder("a")


def test_a_renewal_keeps_the_term(daemons: list[Election], clock: FakeClock) -> None:
    first = daemons[0].campaign()
    clock.advance(seconds=1)
    again = daemons[0].campaign()
    assert first and again and first.term == again.term and again.until > first.until


def test_trust_counts_from_the_request_and_not_from_its_answer(
    daemons: list[Election], lease: FakeLease, clock: FakeClock
) -> None:
    lease.slow = 1.0
    asked = clock.elapsed()
    lead = daemons[0].campaign()
    assert lead is not None and lead.until < asked + TTL


def test_trust_ends_before_the_lease_does(
    daemons: list[Election], lease: FakeLease, clock: FakeClock
) -> None:
    lead = daemons[0].campaign()
    assert lead is not None and lease.held is not None and lead.until < lease.held[1]
    clock.advance(seconds=lead.until - clock.elapsed())
    assert daemons[0].lead() is None
    assert daemons[1].campaign() is None, "nobody else can have it yet"


def test_no_lead_begins_on_a_store_that_refuses_it_and_no_term_is_spent(
    lease: FakeLease, clock: FakeClock, told: list[Event]
) -> None:
    asked = list[str]()

    def refuse() -> None:
        asked.append("asked")
        if len(asked) in refused_at:
            raise StoreError("this store was copied")

    def make() -> Election:
        return Election(
            lease=lease, terms=lease, me=holder("a"), clock=clock, ttl=TTL, emit=told.append,
            refuse=refuse,
        )  # fmt: skip

    refused_at = {1, 3}  # before a term is begun, and right after the first one
    one = make()
    assert one.campaign() is None and lease.term() is None
    assert one.campaign() is None and one.lead() is None and not told
    lead = one.campaign()
    assert lead is not None and lead.term.number == 2
    for _ in range(3):
        assert one.campaign() is not None
    assert len(asked) == 5, "a renewal asks nothing"


def test_a_silent_leader_is_replaced_under_a_new_term(
    daemons: list[Election], clock: FakeClock
) -> None:
    old = daemons[0].campaign()
    clock.advance(seconds=TTL + 0.1)
    new = daemons[1].campaign()
    assert old and new and new.term.number > old.term.number
    assert daemons[0].campaign() is None


def test_a_leader_in_doubt_trusts_no_longer_than_it_was_promised(
    daemons: list[Election], lease: FakeLease, clock: FakeClock, told: list[Event]
) -> None:
    daemons[0].campaign()
    lease.trouble = StoreError("away")
    clock.advance(seconds=0.5)
    assert daemons[0].campaign() is not None, "within the trust given nobody else can lead"
    clock.advance(seconds=TTL)
    assert daemons[0].campaign() is None
    assert [type(event) for event in told] == [LeadWon, LockAway, LeadLost]


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        (lambda one: one.deposed("the store refused it"), "the store refused it"),
        (lambda one: one.step_down("the broker is away"), "the broker is away"),
        (Election.resign, RESIGNED),
    ],
    ids=["deposed", "steps down", "resigns"],
)
def test_the_end_of_a_lead_is_told_once_with_its_reason(
    daemons: list[Election], told: list[Event], ends: Callable[[Election], None], reason: str
) -> None:
    for _ in range(2):
        ends(daemons[0])
    assert not told, "it did not lead"
    assert daemons[1].campaign() is not None
    for _ in range(2):
        ends(daemons[1])
    assert [event for event in told if isinstance(event, LeadLost)] == [
        LeadLost(reason, holder("b"))
    ]  # fmt: skip
    assert daemons[2].campaign() is not None


def test_a_lock_that_cannot_be_used_is_told_once_with_its_cause_and_once_when_it_can(
    daemons: list[Election], lease: FakeLease, clock: FakeClock, told: list[Event]
) -> None:
    lease.trouble = StoreError("lock 10.0.0.1:6379: refused")
    for _ in range(20):
        assert daemons[0].campaign() is None
        clock.advance(seconds=0.1)
    assert told == [LockAway("lock 10.0.0.1:6379: refused")]
    assert daemons[0].lock_trouble == "lock 10.0.0.1:6379: refused"
    lease.trouble = StoreError("lock 10.0.0.1:6379: wrong password")
    assert daemons[0].campaign() is None
    assert daemons[0].lock_trouble == "lock 10.0.0.1:6379: wrong password", "the newest cause"
    lease.trouble = None
    assert daemons[0].campaign() is not None
    assert told[1:2] == [LockBack(pytest.approx(2.0))]
    assert not daemons[0].lock_trouble


def test_one_doubt_about_the_lock_is_no_news(
    daemons: list[Election], lease: FakeLease, clock: FakeClock, told: list[Event]
) -> None:
    lease.trouble = StoreError("held, and its holder not yet known")
    assert daemons[0].campaign() is None
    lease.trouble = None
    assert daemons[0].campaign() is not None
    assert [type(event) for event in told] == [LeadWon]


def test_a_ledger_that_gives_no_term_is_no_trouble_of_the_lock(
    daemons: list[Election],
    lease: FakeLease,
    told: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: object) -> None:
        raise StoreError("the store is read-only")

    monkeypatch.setattr(lease, "begin", refuse)
    for _ in range(3):
        assert daemons[0].campaign() is None
    assert told == [] and not daemons[0].lock_trouble


def test_a_daemon_that_is_too_old_for_the_store_leaves_the_lease_to_a_newer_one(
    daemons: list[Election], lease: FakeLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise ProgramTooOld("its schema 7 is for programs that know 5 or later; upgrade beatd")

    with monkeypatch.context() as older:
        older.setattr(lease, "begin", refuse)
        assert daemons[0].campaign() is None
    assert lease.held is None
    assert daemons[0].campaign() is None, "it lets others try first"
    assert daemons[1].campaign() is not None


def test_a_resigned_lead_is_free_at_once(daemons: list[Election]) -> None:
    daemons[0].campaign()
    daemons[0].resign()
    assert daemons[0].lead() is None
    assert daemons[1].campaign() is not None


def test_resigning_never_raises(daemons: list[Election], lease: FakeLease) -> None:
    daemons[0].campaign()
    lease.trouble = StoreError("away")
    daemons[0].resign()
    assert daemons[0].lead() is None


def test_a_deposed_leader_stays_out_for_one_ttl(daemons: list[Election], clock: FakeClock) -> None:
    daemons[0].campaign()
    daemons[0].deposed("term 2 is newer")
    assert daemons[0].campaign() is None
    clock.advance(seconds=TTL)
    assert daemons[0].campaign() is not None


def test_one_that_cannot_work_lets_another_lead(lease: FakeLease, clock: FakeClock) -> None:
    able = [True]
    daemon = Election(
        lease=lease, terms=lease, me=holder("a"), clock=clock, ttl=TTL, may_lead=lambda: able[0]
    )
    other = Election(lease=lease, terms=lease, me=holder("b"), clock=clock, ttl=TTL)
    assert daemon.campaign() is not None
    able[0] = False
    assert daemon.campaign() is None
    assert other.campaign() is not None


def test_a_lease_regained_after_it_was_lost_asks_for_a_new_term(
    daemons: list[Election], clock: FakeClock
) -> None:
    first = daemons[0].campaign()
    clock.advance(seconds=TTL * 2)
    daemons[1].campaign()
    daemons[1].resign()
    daemons[0].campaign()
    again = daemons[0].campaign()
    assert first and again and again.term.number == 3


def test_a_lead_is_another_one_though_the_ledger_issues_its_number_again(
    daemons: list[Election], lease: FakeLease, clock: FakeClock
) -> None:
    first = daemons[0].campaign()
    renewed = daemons[0].campaign()
    lease.number = 0  # the ledger forgot the term
    daemons[0].deposed("the term is old")
    clock.advance(seconds=TTL)
    again = daemons[0].campaign()
    assert first and renewed and again and first.term.number == again.term.number == 1
    assert (first.nth, renewed.nth, again.nth) == (1, 1, 2)


def test_a_campaign_under_way_does_not_take_back_what_was_given_up(
    daemons: list[Election], lease: FakeLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemons[0].campaign()
    inside, go_on = threading.Event(), threading.Event()
    take = lease.take

    def slow(*arguments: object) -> object:
        inside.set()
        assert go_on.wait(100)
        return take(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(lease, "take", slow)
    campaign = threading.Thread(target=daemons[0].campaign)
    campaign.start()
    assert inside.wait(100)
    closing = threading.Thread(target=daemons[0].close)
    closing.start()
    go_on.set()
    campaign.join(100)
    closing.join(100)
    assert daemons[0].campaign() is None
    assert lease.held is None and daemons[1].campaign() is not None


def test_a_standby_that_takes_over_says_that_the_ledger_forgot_terms(
    daemons: list[Election], lease: FakeLease, clock: FakeClock, told: list[Event]
) -> None:
    lease.number = 4
    leader = daemons[0].campaign()
    assert leader is not None
    daemons[1].saw(leader.term)
    lease.number, lease.held = 0, None  # as after a wipe
    assert daemons[1].campaign() is not None
    (said,) = [event for event in told if isinstance(event, WentBack)]
    assert said.reason.startswith("it issued term 1 after 5")


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (Term(4, "d"), ["it issued term 4 after 5"]),
        (Term(5, "another"), ["it issued term 5 after 5"]),
        (Term(5, "e"), []),
        (Term(6, "f"), []),
    ],
)
def test_a_ledger_whose_newest_term_is_older_than_before_went_back(
    daemons: list[Election], told: list[Event], now: Term, said: list[str]
) -> None:
    for term in (Term(5, "e"), now, now):
        daemons[0].saw(term)
    assert [event.reason.partition(";")[0] for event in told if isinstance(event, WentBack)] == said


def test_a_leader_whose_term_the_store_forgot_begins_another_before_a_claim_is_refused(
    daemons: list[Election], lease: FakeLease, told: list[Event]
) -> None:
    lease.number = 4
    lead = daemons[0].campaign()
    assert lead is not None and lead.term.number == 5
    lease.number = 3  # as after a failover to an older copy
    daemons[0].saw(Term(3, "c"))
    assert daemons[0].lead() is None
    again = daemons[0].campaign()
    assert again is not None and again.term.number == 4 and again.term != lead.term
    assert [event.reason for event in told if isinstance(event, LeadLost)] == [
        "the store forgot term 5"
    ]
    assert sum(isinstance(event, WentBack) for event in told) == 1


@pytest.mark.parametrize("newest", [0, 1])
def test_a_leader_that_sees_its_own_term_or_a_later_one_leads_on(
    daemons: list[Election], newest: int
) -> None:
    """Who has the later one has the lease as well, which the next campaign shows."""
    lead = daemons[0].campaign()
    assert lead is not None
    daemons[0].saw(lead.term if newest == 0 else Term(lead.term.number + 1, "another"))
    assert daemons[0].lead() == lead


def test_a_store_that_came_back_empty_is_said_once(
    daemons: list[Election], lease: FakeLease, told: list[Event]
) -> None:
    daemons[0].saw(Term(5, "e"))
    begin = lease.begin

    def empty(me: Holder) -> Term:
        lease.begin = begin  # type: ignore[method-assign]
        raise StoreEmptied("redis://x: came back empty")

    lease.begin = empty  # type: ignore[method-assign]
    assert daemons[0].campaign() is None
    assert daemons[0].campaign() is not None
    said = [event for event in told if isinstance(event, WentBack)]
    assert said == [WentBack("redis://x: came back empty")]


@pytest.mark.parametrize("step", ["take", "begin"])
def test_deposed_during_a_campaign_it_wins_nothing(
    step: str, daemons: list[Election], lease: FakeLease, clock: FakeClock, told: list[Event]
) -> None:
    one, threads = daemons[0], list[threading.Thread]()
    if step == "take":
        one.campaign()
    real = getattr(lease, step)

    def slow(*args: object) -> object:
        threads.append(threading.Thread(target=one.deposed, args=("another leads",)))
        threads[0].start()
        until(lambda: one._given_up, 10.0, "it is told that it is deposed")
        return real(*args)

    setattr(lease, step, slow)
    assert one.campaign() is None and one.lead() is None
    threads[0].join(100)
    setattr(lease, step, real)
    assert lease.number == 1, "whoever leads now is not deposed in turn"
    assert lease.held is None, "the lease it had taken meanwhile"
    assert not [event for event in told if isinstance(event, WentBack)]
    assert one.campaign() is None
    clock.advance(seconds=TTL)
    assert one.campaign() is not None
