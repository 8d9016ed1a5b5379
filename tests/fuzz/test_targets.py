"""Each target with its kept inputs and a few made from them; `make fuzz` gives it a million."""

from pathlib import Path

import pytest

from tests import needs
from tests.fuzz.campaign import Campaign
from tests.fuzz.targets import TARGETS

INPUTS = 200


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TARGETS)
def test_a_target_refuses_what_it_cannot_read(name: str, tmp_path: Path) -> None:
    if name == "redis":
        needs.program("redis-server")
    target = TARGETS[name]
    inputs = max(6, INPUTS // target.weight)
    report = Campaign(target, inputs=inputs, seed=1, folder=tmp_path, traces=False).run()
    assert report.inputs >= inputs
    assert not report.findings, "\n".join(f"{one.what}\n{one.details}" for one in report.findings)
