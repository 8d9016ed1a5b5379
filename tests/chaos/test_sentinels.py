"""The rig's primary and its replica, under three Sentinels."""

from pathlib import Path

import pytest

from tests.chaos.sentinels import sentinels

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]


def test_a_replica_that_became_the_primary_may_be_killed_and_start_at_once(tmp_path: Path) -> None:
    with sentinels(tmp_path) as both:
        for kind in ("fail over", "kill"):
            strike, mend = both.prepared(kind)
            strike()
            mend()  # TimeoutError if no server is the primary of the other one
        primary, replica = both._wait_for_replica()
        assert primary.admin.info("replication")["role"] == "master"
        assert replica.admin.info("replication")["role"] == "slave"
