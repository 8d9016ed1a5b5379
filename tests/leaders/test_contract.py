"""One contract, every kind of lock: what all of them promise, and those that have a ttl."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from beatd.engine.election import Election
from beatd.errors import StoreError, StoreUnusable
from beatd.events import Event, LeadWon, LockAway
from beatd.leader import Holder, Lease
from beatd.wiring.backends import open_lease
from tests.cable import Cable
from tests.fake_clock import FakeClock
from tests.fake_lease import FakeLease
from tests.leaders.holders import LONG, PATIENCE_S, SHORT, holder
from tests.leaders.places import Place
from tests.waiting import until

Another = Callable[[], Lease]
Server = Callable[[str], tuple[str, int]]

KINDS = ("file", "sqlite", "postgresql", "mariadb", "redis")
every = pytest.mark.parametrize("place", KINDS, indirect=True)
with_a_ttl = pytest.mark.parametrize("place", KINDS[1:], indirect=True)
HOLD = """
import signal, sys
from datetime import UTC, datetime
from beatd.leader import Holder
from beatd.wiring.backends import open_lease
me = Holder("child", "host", 1, datetime(2026, 3, 1, tzinfo=UTC), "child")
lease = open_lease(sys.argv[1], prefix=sys.argv[2])
assert lease.take(me, float(sys.argv[3])) == me
print("held", flush=True)
signal.pause()
"""


# who holds it


@every
def test_the_first_holds_it_and_all_are_told_who(leases: Another) -> None:
    one, two = holder("one"), holder("two")
    here, there = leases(), leases()
    assert here.take(one, LONG) == one
    assert there.take(two, LONG) == one
    assert here.take(one, LONG) == one, "a renewal"


@every
def test_it_is_free_at_once_when_released(leases: Another) -> None:
    one, two = holder("one"), holder("two")
    here, there = leases(), leases()
    here.take(one, LONG)
    here.release(one)
    assert there.take(two, LONG) == two
    assert here.take(one, LONG) == two


@every
def test_only_its_holder_can_release_it(leases: Another) -> None:
    one, two = holder("one"), holder("two")
    here, there = leases(), leases()
    here.take(one, LONG)
    there.take(two, LONG)
    there.release(two)
    leases().release(two)
    assert there.take(two, LONG) == one


@every
def test_two_starts_of_one_daemon_are_two_holders(leases: Another) -> None:
    one = holder("one")
    leases().take(one, LONG)
    assert leases().take(replace(one, token="another-token"), LONG) == one


@every
def test_a_token_that_begins_like_another_is_another(leases: Another) -> None:
    one = holder("one")
    longer = replace(one, token=one.token + "x")
    leases().take(longer, LONG)
    assert leases().take(one, LONG) == longer


@every
def test_of_eight_that_ask_at_once_one_holds_it(place: Place, leases: Another) -> None:
    def winner(lease: Lease, me: Holder) -> Holder:
        told: list[Holder] = []
        until(
            lambda: told.append(lease.take(me, LONG)) or True,
            PATIENCE_S,
            "it is told who holds it",
            not_yet=place.not_yet,
        )
        return told[0]

    crowd = [holder(str(number)) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(winner, [leases() for _ in crowd], crowd))
    assert len({one.token for one in won}) == 1


@every
def test_a_killed_holder_is_replaced(place: Place, leases: Another) -> None:
    """Before the ttl where its lock ends with its process, else when the ttl is over."""
    ttl = LONG if place.ends_with_its_process else 5.0
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, place.url, place.prefix, str(ttl)],
        stdout=subprocess.PIPE,
        text=True,
    )
    lease, me = leases(), holder("standby")
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        assert lease.take(me, ttl).name == "child"
        child.kill()
        child.wait()
        until(lambda: lease.take(me, ttl) == me, PATIENCE_S, "it is free")
    finally:
        child.kill()
        child.communicate()


# how long


@with_a_ttl
def test_it_is_free_when_its_ttl_is_over_and_not_before(place: Place, leases: Another) -> None:
    one, two = holder("one"), holder("two")
    here, there = leases(), leases()
    there.take(two, LONG)
    there.release(two)
    began = place.clock()
    here.take(one, SHORT)
    until(lambda: there.take(two, LONG) == two, PATIENCE_S, "it is free")
    assert place.clock() - began >= SHORT
    assert here.take(one, LONG) == two


@with_a_ttl
def test_a_renewal_gives_it_its_whole_ttl_again(place: Place, leases: Another) -> None:
    one = holder("one")
    here = leases()
    here.take(one, SHORT)
    here.take(one, LONG)
    first_is_over = place.clock() + SHORT
    until(lambda: place.clock() > first_is_over, PATIENCE_S, "the first ttl is over")
    assert leases().take(holder("two"), LONG) == one


# what others do to it


@every
def test_what_another_program_put_in_its_place_is_left_alone(place: Place, leases: Another) -> None:
    one = holder("one")
    here = leases()
    here.take(one, LONG)
    here.release(one)
    place.overwrite()
    found = place.content()
    with pytest.raises(StoreError):
        leases().take(holder("two"), LONG)
    assert place.content() == found


harms = pytest.mark.parametrize(
    ("place", "harm"),
    [
        *((kind, "delete") for kind in KINDS),
        ("file", "replace"),
        *((kind, "drop") for kind in ("sqlite", "postgresql", "mariadb")),
    ],
    indirect=["place"],
)


@harms
def test_a_lock_that_was_deleted_is_had_again_and_by_one(
    place: Place, harm: str, leases: Another
) -> None:
    one, two = holder("one"), holder("two")
    here, there = leases(), leases()
    assert here.take(one, LONG) == one
    assert there.take(two, LONG) == one
    place.harms[harm]()
    # What was found gone may be a doubt once, for it is another lock that is taken then.
    until(lambda: here.take(one, LONG) == one, PATIENCE_S, "it is held", not_yet=(StoreError,))
    until(lambda: there.take(two, LONG) == one, PATIENCE_S, "one holds", not_yet=(StoreError,))
    assert here.take(one, LONG) == one


@harms
def test_a_lock_that_was_deleted_can_be_released(place: Place, harm: str, leases: Another) -> None:
    one, two = holder("one"), holder("two")
    here = leases()
    here.take(one, LONG)
    place.harms[harm]()
    with suppress(StoreError):
        here.release(one)
    until(lambda: leases().take(two, LONG) == two, PATIENCE_S, "it is free", not_yet=(StoreError,))


# a server that goes away


class Behind(NamedTuple):
    cable: Cable
    lease: Lease


@pytest.fixture(params=["redis", "postgresql", "mariadb"])
def behind(request: pytest.FixtureRequest, server: Server) -> Iterator[Behind]:
    """A lease behind a cable."""
    kind, (host, port) = request.param, server(request.param)
    url = f"redis://{host}:{port}/0" if kind == "redis" else request.getfixturevalue(f"{kind}_url")
    cable = Cable(host, port)
    lease = open_lease(url.replace(f":{port}", f":{cable.port}"), prefix=f"{cable.port}:")
    yield Behind(cable, lease)
    lease.close()
    cable.pull_out()


def test_a_server_that_is_away_is_doubt_and_the_lock_had_again_when_it_is_back(
    behind: Behind,
) -> None:
    me = holder("me")
    for _ in range(2):  # before the first connection, and after it
        behind.cable.pull_out()
        for _ in range(2):
            with pytest.raises(StoreError) as raised:
                behind.lease.take(me, SHORT)
            assert not isinstance(raised.value, StoreUnusable)
        behind.cable.plug_in()
        assert behind.lease.take(me, SHORT) == me


def test_a_server_that_stays_silent_is_doubt(behind: Behind) -> None:
    me = holder("me")
    assert behind.lease.take(me, SHORT) == me
    behind.cable.back = 100.0
    with pytest.raises(StoreError):
        behind.lease.take(me, SHORT)


# a lock that cannot be used

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


# no lock


def test_without_a_lock_everyone_leads() -> None:
    for name in ("one", "two"):
        me = holder(name)
        assert open_lease("none").take(me, SHORT) == me


def test_without_a_lock_there_is_none_to_be_away() -> None:
    clock, told = FakeClock(), list[Event]()
    election = Election(
        lease=open_lease("none"),
        terms=FakeLease(clock),
        me=holder("one"),
        clock=clock,
        emit=told.append,
    )
    assert election.campaign() is not None
    assert [type(event) for event in told] == [LeadWon] and not election.lock_trouble
