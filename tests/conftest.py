"""What every test may ask for: real servers, which are skipped on a laptop and demanded in CI."""

import os
import socket
from collections.abc import Callable

import pytest

PORTS = {"postgresql": 5432, "mariadb": 3306, "redis": 6379, "rabbitmq": 5672}


def answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False


@pytest.fixture(scope="session")
def server() -> Callable[[str], tuple[str, int]]:
    """The address of a running server by name; without one the test skips, and fails in CI."""

    def find(name: str) -> tuple[str, int]:
        port = int(os.environ.get(f"BEATD_TEST_{name.upper()}_PORT", PORTS[name]))
        if answers("127.0.0.1", port):
            return "127.0.0.1", port
        missing = f"{name} does not answer on 127.0.0.1:{port}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)

    return find
