"""What a test needs of the machine: programs that `make test` installs where that is allowed."""

import json
import os
from pathlib import Path
from typing import NoReturn

import pytest

from tests.run import packages

HOW = "run `make test`, or one test: `python tests/run/servers.py pytest tests/…`"
MISSING = "BEATD_TEST_MISSING"  # set by tests/run/servers.py: the reasons, as JSON


def program(name: str) -> Path:
    """Return its file; a test that needs a missing one is skipped, and fails in CI."""
    return packages.find(name) or lacking(name)


def lacking(name: str) -> NoReturn:
    """End the test: `name` could not be had, or nobody has tried to install or start it."""
    reasons: dict[str, str] = json.loads(os.environ.get(MISSING, "{}"))
    if name not in reasons:
        pytest.fail(f"there is no {name} for this test: {HOW}", pytrace=False)
    if os.environ.get("CI"):
        pytest.fail(f"there is no {name}: {reasons[name]}", pytrace=False)
    pytest.skip(f"there is no {name}: {reasons[name]}")
