"""Locks that cannot be used say why, and whether waiting helps."""

from collections.abc import Callable
from pathlib import Path

import pytest

from beatd.engine.election import Election
from beatd.errors import StoreError, StoreUnusable
from beatd.events import Event, LockAway
from beatd.wiring.backends import open_lease
from tests.fake_clock import FakeClock
from tests.fake_lease import FakeLease
from tests.leaders.holders import holder

Server = Callable[[str], tuple[str, int]]


CLOSED = "127.0.0.1:1"
AWAY = {
    "redis, nobody listens": f"redis://me:s3cret@{CLOSED}/0",
    "redis, behind no sentinel": f"sentinel://:s3cret@{CLOSED}/mymaster",
    "redis, no cluster": f"redis+cluster://:s3cret@{CLOSED}",
    "postgresql, nobody listens": f"postgresql://me:s3cret@{CLOSED}/beat",
    "mysql, nobody listens": f"mysql://me:s3cret@{CLOSED}/beat",
    "mysql, no certificate": "mysql://root:s3cret@{mariadb}/test?ssl_ca={folder}/none.pem",
    "file, no folder": "file:{folder}/nowhere/lock",
    "file, a folder": "file:{folder}",
    "file, below a file": "file:{folder}/plain/lock",
}
HOPELESS = {
    "redis, wrong password": "redis://me:s3cret@{redis}/0",
    "postgresql, wrong user": "postgresql://nobody:s3cret@{postgresql}/test",
    "postgresql, no database": "postgresql://postgres:s3cret@{postgresql}/nowhere",
    "mysql, wrong password": "mysql://nobody:s3cret@{mariadb}/test",
    "mysql, no database": "mysql://root@{mariadb}/nowhere",
    "sqlite, no folder": "sqlite:///{folder}/nowhere/lock.db",
    "sqlite, a folder": "sqlite:///{folder}",
}
WORDS = {
    "file, no folder": "No such file or directory",
    "postgresql, no database": '"nowhere" does not exist',
    "mysql, no database": "nowhere",
    "sqlite, no folder": "there is no directory {folder}/nowhere",
}


@pytest.fixture(params=[*AWAY, *HOPELESS])
def unusable(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def filled_in(tmp_path: Path, server: Server) -> Callable[[str], str]:
    """Returns a text with the folder and the addresses of the servers in it."""
    (tmp_path / "plain").write_text("")

    def fill_in(text: str) -> str:
        for name in ("redis", "postgresql", "mariadb"):
            if f"{{{name}}}" in text:
                text = text.replace(f"{{{name}}}", ":".join(map(str, server(name))))
        return text.replace("{folder}", str(tmp_path))

    return fill_in


def test_a_lock_that_cannot_be_used_says_why_in_one_line_and_no_password(
    unusable: str, filled_in: Callable[[str], str], tmp_path: Path
) -> None:
    clock, told = FakeClock(), list[Event]()
    lease = open_lease(filled_in({**AWAY, **HOPELESS}[unusable]))
    election = Election(
        lease=lease,
        terms=FakeLease(clock),
        me=holder("one"),
        clock=clock,
        ttl=2.0,
        emit=told.append,
    )
    for _ in range(4):
        assert election.campaign() is None
        clock.advance(seconds=0.1)
    lease.close()
    (said,) = told
    assert isinstance(said, LockAway), told
    assert said.reason == election.lock_trouble
    assert "\n" not in said.reason and "s3cret" not in said.reason
    assert any(place in said.reason for place in (str(tmp_path), "127.0.0.1"))
    assert filled_in(WORDS.get(unusable, "")) in said.reason


def test_a_lock_says_whether_waiting_helps(unusable: str, filled_in: Callable[[str], str]) -> None:
    lease = open_lease(filled_in({**AWAY, **HOPELESS}[unusable]))
    with pytest.raises(StoreError) as raised:
        lease.take(holder("one"), 1.0)
    lease.close()
    assert isinstance(raised.value, StoreUnusable) == (unusable in HOPELESS)
