"""When the store is searched for open claims and requests, and what is made of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.definition import entry_from
from beatd.dispatch import Published
from beatd.engine.limits import Limits
from beatd.engine.moves import Mover
from beatd.engine.open_claims import OpenClaims, as_it_is
from beatd.entry import Entry
from beatd.ledger import Move, OpenClaim, Request, Result
from beatd.planning import first, shared_next_after
from beatd.publisher import Outcome
from beatd.run import EPOCH, Occurrence, Running
from beatd.unapplied import NOTHING_WAITS, Unapplied
from tests.fake_clock import FakeClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILES_WAIT = Unapplied(owners=frozenset({"files"}))


class FakeLedger:
    def __init__(self) -> None:
        self.claims: list[OpenClaim] = []
        self.asked: list[Request] = []
        self.rows: dict[str, Stored] = {}
        self.searches: list[tuple[str, object]] = []
        self.reported: dict[str, Any] = {}

    def unknowns(self, before: datetime, limit: int) -> Sequence[OpenClaim]:
        self.searches.append(("claims", before))
        return self.claims[:limit]

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        self.searches.append(("requests", limit))
        return [(request, self.rows.get(request.name)) for request in self.asked[:limit]]

    def outcomes(self, ids: Sequence[str]) -> Mapping[str, Any]:
        self.searches.append(("outcomes", list(ids)))
        return {id: what for id, what in self.reported.items() if id in ids}


class Setup:
    def __init__(self, with_arguments: Any = as_it_is) -> None:
        self.clock, self.ledger = FakeClock(NOON.isoformat()), FakeLedger()
        ledger: Any = self.ledger
        self.open = OpenClaims(
            ledger, ledger, self.clock, Limits(publish_timeout=5.0), 2.0, with_arguments
        )
        self.mover = Mover(UUID(int=0), shared_next_after())
        self.unsent: set[str] = set()
        self.open.begin()

    def row(self, name: str = "a", **plain: Any) -> Stored:
        source = plain.pop("source", "cli")
        entry = entry_from(name, {"task": "t", "every": "10s", **plain}, source=source)
        self.ledger.rows[name] = Stored(entry, 1, False, first(entry, NOON), 0, None)
        return self.ledger.rows[name]

    def claim(self, row: Stored, id: str = "id", request: str = "") -> OpenClaim:
        made = OpenClaim(Occurrence(row.entry.name, NOON, request), id, NOON, NOON, 1, False, row)
        self.ledger.claims.append(made)
        return made

    def request(self, id: str, name: str = "a", kind: Any = "trigger", last_s: int = 0) -> Request:
        made = Request(id, name, kind, NOON, NOON + timedelta(seconds=last_s), 1)
        self.ledger.asked.append(made)
        return made

    def moves(self, waiting: Unapplied = NOTHING_WAITS, limit: int = 100) -> list[Move]:
        self.ledger.searches.clear()
        never_sent = lambda claim: claim.task_id in self.unsent  # noqa: E731
        return self.open.moves(self.clock.now(), self.mover, never_sent, limit, waiting)

    def searched(self, waiting: Unapplied = NOTHING_WAITS) -> list[str]:
        """Return what is searched for now."""
        self.moves(waiting)
        return [what for what, _ in self.ledger.searches]

    def ids(self, **how: Any) -> list[str]:
        """Return the request of each move, in order."""
        return [move.request.id for move in self.moves(**how) if move.request is not None]


@pytest.fixture
def setup() -> Setup:
    return Setup()


def batch(moves: Sequence[Move], outcome: str = "confirmed", *, made: bool = True) -> Published:
    runs = [move.run for move in moves if move.run is not None]
    results = [Result(run, Outcome(outcome), NOON, NOON) for run in runs]  # type: ignore[arg-type]
    return Published(moves, [made] * len(moves), results, results)


# when


def test_the_store_is_searched_once_a_second(setup: Setup) -> None:
    assert setup.searched() == ["claims", "requests"]
    setup.clock.advance(seconds=0.5)
    assert setup.searched() == []
    setup.clock.advance(seconds=0.5)
    assert setup.searched() == ["claims", "requests"]
    setup.clock.advance(seconds=0.5)
    assert setup.searched() == []


@pytest.mark.parametrize("what", ["noticed_change", "begin"])
def test_a_change_or_a_new_term_is_looked_at_at_once_and_once(setup: Setup, what: str) -> None:
    setup.searched()
    getattr(setup.open, what)()
    assert setup.searched() == ["claims", "requests"]
    assert setup.searched() == []


def test_entries_that_wait_no_longer_are_looked_at_at_once(setup: Setup) -> None:
    setup.searched()
    assert setup.searched(FILES_WAIT) == ["claims", "requests"]
    assert setup.searched(FILES_WAIT) == []
    assert setup.searched() == ["claims", "requests"]


def test_no_claim_of_the_leader_before_is_settled_while_it_may_publish(setup: Setup) -> None:
    def before() -> object:
        setup.open.noticed_change()
        setup.moves()
        return dict(setup.ledger.searches)["claims"]

    setup.clock.advance(seconds=100)
    setup.open.begin()
    setup.clock.advance(seconds=6.5)
    assert before() == EPOCH
    setup.clock.advance(seconds=0.5)
    assert before() == setup.clock.now() - timedelta(seconds=5)


def test_after_what_was_sent_there_may_be_more(setup: Setup) -> None:
    setup.row()
    setup.request("one")
    setup.open.sent([batch(setup.moves())])
    assert setup.searched() == ["claims", "requests"]


def test_after_a_claim_that_was_sent_again_there_may_be_more(setup: Setup) -> None:
    setup.claim(setup.row())
    setup.open.sent([batch(setup.moves())])
    assert setup.searched() == ["claims", "outcomes", "requests"]


def test_a_claim_beside_it_does_not_slow_other_requests(setup: Setup) -> None:
    setup.claim(setup.row())
    setup.request("one")
    setup.open.sent([batch(setup.moves(), "unsent")])
    assert setup.searched() == ["requests"]


@pytest.mark.parametrize("requests", [0, 100])
def test_more_is_read_only_if_all_that_was_read_waits(setup: Setup, requests: int) -> None:
    setup.row()
    for n in range(requests):
        setup.request(f"request {n}")
    for _ in range(2):
        setup.open.noticed_change()
        setup.moves()
        assert dict(setup.ledger.searches)["requests"] == 100


def test_an_unsent_message_is_tried_again_with_the_next_second(setup: Setup) -> None:
    setup.claim(setup.row())
    confirmed = batch([])
    setup.open.sent([confirmed, batch(setup.moves(), "unsent")])
    assert setup.searched() == []
    setup.clock.advance(seconds=1)
    assert setup.searched() == ["claims", "outcomes", "requests"]


@pytest.mark.parametrize(("made", "next_search"), [(True, ["requests"]), (False, [])])
def test_a_full_queue_does_not_slow_other_requests(
    setup: Setup, made: bool, next_search: list[str]
) -> None:
    setup.row()
    setup.request("one")
    setup.open.sent([batch([]), batch(setup.moves(), "unsent", made=made)])
    assert setup.searched() == next_search  # the claim that is unsent has to wait


def test_a_new_term_tries_an_unsent_message_at_once(setup: Setup) -> None:
    setup.claim(setup.row())
    setup.open.sent([batch(setup.moves(), "unsent")])
    setup.open.begin()
    assert setup.searched() == ["claims", "outcomes", "requests"]


# claims


def test_a_claim_is_sent_again_with_what_is_known_of_it(setup: Setup) -> None:
    row = setup.row()
    setup.claim(row)
    setup.claim(row, "never")
    setup.unsent = {"never"}
    one, other = setup.moves()
    assert one.open_claim is not None and other.open_claim is not None
    assert (one.open_claim.unsent, other.open_claim.unsent) == (False, True)
    assert one.run is not None and one.run.origin == "resend"
    assert setup.open.are_held is False


def test_a_run_that_a_worker_reported_has_arrived(setup: Setup) -> None:
    setup.claim(setup.row())
    setup.ledger.reported = {"id": object()}
    assert setup.moves() == []
    assert [result.outcome.sent for result in setup.open.arrived] == ["confirmed"]
    assert (setup.moves(), setup.open.arrived) == ([], [])


def test_a_claim_behind_a_reported_one_is_sent_again(setup: Setup) -> None:
    row = setup.row()
    for id in ("reported", "lost"):
        setup.claim(row, id)
    setup.ledger.reported = {"reported": object()}
    (move,) = setup.moves()
    assert move.open_claim is not None and move.open_claim.task_id == "lost"


def test_what_belongs_to_an_entry_that_was_removed_is_closed(setup: Setup) -> None:
    setup.ledger.claims = [replace(setup.claim(setup.row(), "id", "asked"), stored=None)]
    setup.request("one", "removed")
    reasons = [move.skips[0].reason for move in setup.moves(FILES_WAIT)]
    assert reasons == ["removed", "removed"]


def test_a_reported_run_of_an_entry_that_was_removed_is_closed(setup: Setup) -> None:
    setup.ledger.claims = [replace(setup.claim(setup.row()), stored=None)]
    setup.ledger.reported = {"id": object()}
    (move,) = setup.moves()
    assert [skip.reason for skip in move.skips] == ["removed"]
    assert setup.open.arrived == []


def held_by_a_run(setup: Setup) -> Stored:
    row = setup.row(overlap="queue", max_run="1h")
    return replace(row, running=Running("other", NOON, NOON + timedelta(hours=1)))


def test_a_claim_that_waits_for_a_run_is_looked_at_in_each_tick(setup: Setup) -> None:
    row = held_by_a_run(setup)
    setup.claim(row)
    setup.claim(setup.row("b"), "free")
    assert [move.name for move in setup.moves()] == ["b"]
    assert setup.open.are_held is True
    setup.open.sent([batch(setup.moves(), "unsent")])
    assert setup.moves() == []  # nor is the other one tried again
    assert setup.open.are_held is True
    setup.ledger.claims[0] = replace(setup.ledger.claims[0], stored=replace(row, running=None))
    assert [move.name for move in setup.moves()] == ["a"]
    assert setup.open.are_held is False


def test_a_claim_of_an_entry_that_waits_for_its_file_is_left_alone(setup: Setup) -> None:
    setup.claim(setup.row("files", source="files"), "files")
    setup.claim(setup.row())
    assert [move.name for move in setup.moves(FILES_WAIT)] == ["a"]
    assert setup.open.are_held is False


# requests


def test_no_more_runs_are_requested_than_fit(setup: Setup) -> None:
    setup.row()
    for id in ("one", "two", "three"):
        setup.request(id)
    assert setup.ids(limit=2) == ["one", "two"]


def test_a_request_of_an_entry_that_waits_for_its_file_does_not_hide_others(setup: Setup) -> None:
    setup.row("files", source="files")
    setup.row()
    for n in range(100):
        setup.request(f"files {n}", "files")
    setup.request("one")
    assert setup.ids(waiting=FILES_WAIT) == ["one"]
    assert ("requests", 2000) in setup.ledger.searches


def test_a_hundred_requests_that_wait_do_not_hide_others(setup: Setup) -> None:
    setup.ledger.rows["a"] = held_by_a_run(setup)
    setup.row("b")
    for n in range(100):
        setup.request(f"waits {n}")
    setup.request("one", "b")
    assert setup.ids() == []
    assert ("requests", 100) in setup.ledger.searches
    assert setup.open.are_held is True
    assert setup.ids() == ["one"]
    assert ("requests", 2000) in setup.ledger.searches
    setup.ids()
    assert ("requests", 100) in setup.ledger.searches


def test_two_backlogs_of_an_entry_share_its_last_runs(setup: Setup) -> None:
    setup.row(max_runs=3, catch_up="all", catch_up_max=9)
    setup.request("one", kind="backlog", last_s=10)
    setup.request("two", kind="backlog", last_s=10)
    moves = setup.moves()
    assert [(move.counts, len(move.skips)) for move in moves] == [(1, 0), (1, 0), (1, 0), (0, 1)]


def test_only_one_request_of_an_entry_without_overlap_starts_at_once(setup: Setup) -> None:
    setup.row(overlap="queue", max_run="1h")
    setup.row("b")
    setup.request("one")
    setup.request("two")
    setup.request("other", "b")
    assert setup.ids() == ["one", "other"]


def test_a_run_is_revoked_for_a_request_once_in_ten_seconds(setup: Setup) -> None:
    row = setup.row(overlap="replace", max_run="1h")
    running = Running("running", NOON, NOON + timedelta(hours=1))
    setup.ledger.rows["a"] = replace(row, running=running)
    setup.request("one")
    (move,) = setup.moves()
    assert move.revokes == "running"
    setup.clock.advance(seconds=9.9)
    assert (setup.moves(), setup.open.are_held) == ([], True)
    setup.clock.advance(seconds=0.1)
    assert [move.revokes for move in setup.moves()] == ["running"]
    setup.clock.advance(seconds=9.9)
    assert setup.moves() == []


def test_a_request_and_its_claim_have_its_own_arguments() -> None:
    def with_arguments(entry: Entry, request: str) -> Entry:
        return replace(entry, args=(request,))

    setup = Setup(with_arguments)
    row = setup.row()
    setup.claim(row)
    setup.claim(row, "second", "asked")
    setup.request("one")
    runs = [move.run for move in setup.moves()]
    assert [list(run.entry.args) for run in runs if run is not None] == [[], ["asked"], ["one"]]
