"""What becomes of a test whose program or server is not there."""

import json

import pytest

from tests import needs
from tests.run import packages

REASON = "it is not installed, and there is no apt-get"


def test_a_test_alone_says_how_it_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(needs.MISSING, raising=False)
    with pytest.raises(pytest.fail.Exception, match=r"make test.*tests/run/servers\.py"):
        needs.lacking("redis")


def test_what_could_not_be_had_is_skipped_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(needs.MISSING, json.dumps({"no-such-program": REASON}))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=REASON):
        needs.program("no-such-program")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=REASON):
        needs.program("no-such-program")


def test_a_program_that_cannot_be_installed_has_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(packages.PACKAGES, "no-such-program", "no-such-package")
    monkeypatch.setenv("PATH", "")
    missing = packages.install(["no-such-program"])
    assert missing == {
        "no-such-program": "no-such-package is not installed, and there is no apt-get"
    }
