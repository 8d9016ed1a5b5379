"""Whatever the leader is cut off from: another one takes over, and nothing is lost or doubled."""

import os
from pathlib import Path

import pytest

from tests import needs
from tests.chaos import servers
from tests.chaos.partitions import PAIRS, THE_SAME, costs

TTL = 2.0
BUSY = 0.5  # seconds that three daemons and two servers on one machine may wait for each other
# A broker that merely restarts is back before a leader that cannot reach it gives up.
WITHIN = {"the store": TTL + 0.5 + BUSY, "the broker": 6.0, "both": TTL + 0.5 + BUSY}


@pytest.fixture(autouse=True)
def _possible() -> None:
    for name in servers.PROGRAMS:
        needs.program(name)
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("store", "broker"), PAIRS)
def test_a_leader_behind_a_cut_cable_is_replaced_and_nothing_is_lost(
    store: str, broker: str, tmp_path: Path
) -> None:
    found = costs(store, broker, seconds=10, times=1, logs=tmp_path)
    assert [one.off for one in found] == (["both"] if broker == THE_SAME else list(WITHIN))
    for one in found:
        assert one.taken_over is not None and one.taken_over < WITHIN[one.off], one
        assert (one.lost, one.other_id) == (0, 0), one
        if broker == THE_SAME:
            assert one.same_id == 0, "claimed and published in one step, and yet doubled"
