import pytest

from tests.simulation.world import wait_for


@pytest.fixture(autouse=True)
def _no_real_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("beatd.dispatch.wait", wait_for)
