"""Whatever is killed, frozen, cut off, slowed down or restarted: no promise is broken."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.chaos.faults import Fault, schedule, usual
from tests.chaos.pair import FILES, PAIRS
from tests.chaos.rig import run
from tests.chaos.verdict import IDLE_SKIP, Violation
from tests.run.servers import DoesNotStart

AT_SECOND_S = 0.001
FEW = {
    "redis": (
        Fault(kind="kill", target="redis", lasts_s=0.2, offset_s=AT_SECOND_S),
        Fault(kind="kill", target="leader", lasts_s=0.2, offset_s=AT_SECOND_S),
    ),
    "postgresql+redis": (
        Fault(kind="cut", target="redis", lasts_s=0.5, offset_s=AT_SECOND_S),
        Fault(kind="restart", target="postgresql", lasts_s=0.0, offset_s=0.5),
    ),
}
FAULTS, SEED = 50, "1"


def broken(pair: str, faults: Sequence[Fault], logs: Path, *, workers: int) -> list[Violation]:
    """Return what breaks a promise. A skipped run with a reason breaks none on a busy machine."""
    try:
        found = run(PAIRS[pair], faults, logs, workers=workers)
    except DoesNotStart as missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(missing))
    return [one for one in found.verdict.violations if one.kind != IDLE_SKIP]


@pytest.mark.parametrize("pair", FEW)
def test_a_few_faults_break_no_promise(pair: str, tmp_path: Path) -> None:
    assert broken(pair, FEW[pair], tmp_path, workers=0) == []


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("pair", PAIRS)
def test_fifty_faults_break_no_promise(pair: str, tmp_path: Path) -> None:
    files = PAIRS[pair].store in FILES
    faults = schedule(f"{SEED} {pair}", FAULTS, usual(PAIRS[pair].servers, file=files))
    assert broken(pair, faults, tmp_path, workers=1) == []
