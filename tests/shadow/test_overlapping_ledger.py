"""A shadow sends every moment of an entry that does not allow overlap."""

from beatd.shadow.overlapping_ledger import OverlappingLedger
from tests.fleet import Fleet


def test_no_moment_is_skipped_because_a_run_of_the_shadow_never_ends() -> None:
    fleet = Fleet()
    fleet.add("a", every="1m", overlap="skip", max_run="1h")
    fleet.ledger = OverlappingLedger(fleet.store)
    fleet.minutes(fleet.daemon(), 3.5)
    assert [line.state for line in fleet.history()] == ["published"] * 3
