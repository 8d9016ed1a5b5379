import pytest

from tests.simulation.world import wait_for


@pytest.fixture(autouse=True)
def _no_real_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("beatd.engine.overlap.wait", wait_for)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="one scenario of the simulator")
