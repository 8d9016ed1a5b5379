"""Private servers for every test, and how patiently hypothesis tries examples."""

import os
import signal
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

from tests import needs

# How fast a busy machine makes examples says nothing about beatd.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure() -> None:
    """Told to end, pytest first ends the servers and daemons that its tests have started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def server() -> Callable[[str], tuple[str, int]]:
    """The address of a private server by name; tests/run/servers.py has started it."""

    def find(name: str) -> tuple[str, int]:
        port = os.environ.get(f"BEATD_TEST_{name.upper()}_PORT")
        return ("127.0.0.1", int(port)) if port else needs.lacking(name)

    return find
