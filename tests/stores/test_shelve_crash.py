"""Nothing acknowledged is lost: by a kill at any instruction, a full disk, a spoilt file."""

import errno
import logging
import multiprocessing
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beatd.catalog import Change, Query
from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.errors import StoreError, StoreUnusable
from beatd.stores import journal, shelve
from beatd.stores.shelve import ShelveStore
from tests.fake_clock import FakeClock
from tests.stores.making import (
    at,
    claimed,
    entry,
    holder,
    lead,
    names,
    open_claims,
    past,
    plan,
    put,
    put_many,
    row,
    told,
)


def opened(path: Path, clock: Any = None) -> ShelveStore:
    return ShelveStore(path, codec=codec, clock=clock or SystemClock())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shelf"


def set_aside(path: Path) -> list[Path]:
    return sorted(path.parent.glob("*.bad-*"))


# killed


def write_for_ever(path: Path, acknowledge: int) -> None:
    """Add, claim, record and remove as fast as possible; a byte for each thing acknowledged."""
    shelve.SPARE = 50  # many rewritings, so that kills meet them too
    store = opened(path)
    term = store.begin(holder())
    n = len(list(store.find(Query(name_like="keep-*"))))
    while True:
        name = f"keep-{n}"
        stored = put(store, name)
        os.write(acknowledge, f"put {n}\n".encode())
        run = claimed(store, stored, term)
        os.write(acknowledge, f"claimed {n}\n".encode())
        store.record([told(run)])
        os.write(acknowledge, f"published {n}\n".encode())
        gone = put(store, "gone")
        store.write([Change("gone", gone.revision, None)])
        n += 1


def kill_and_check(path: Path, acks: int) -> int:
    reading, writing = os.pipe()
    process = multiprocessing.get_context("fork").Process(
        target=write_for_ever, args=(path, writing), daemon=True
    )
    process.start()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        lines = [pipe.readline() for _ in range(acks)]
        os.kill(process.pid or 0, signal.SIGKILL)
        lines += pipe.readlines()
    process.join()
    acknowledged = [line.decode().split() for line in lines if line.endswith(b"\n")]
    assert acknowledged
    store = opened(path)
    try:
        rows = {stored.entry.name: stored for stored in store.find(Query())}
        states = {record.name: record.state for record in past(store)}
        for what, n in acknowledged:
            assert f"keep-{n}" in rows
            if what == "claimed":
                assert states[f"keep-{n}"] in ("claimed", "published")
                assert rows[f"keep-{n}"].runs == 1
            if what == "published":
                assert states[f"keep-{n}"] == "published"
        for claim in open_claims(store):  # nothing half there
            assert claim.stored is not None
            assert claim.stored.runs == 1
        assert not store.problems()
    finally:
        store.close()
    return len(acknowledged)


def test_a_killed_writer_loses_nothing_acknowledged(path: Path) -> None:
    chance = random.Random(1)
    for _ in range(15):
        kill_and_check(path, chance.randint(1, 60))
    assert not set_aside(path)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_five_hundred_kills_lose_nothing_acknowledged(path: Path) -> None:
    chance = random.Random(2)
    for n in range(500):
        if n % 50 == 0:
            for file in path.parent.iterdir():
                file.unlink()
        kill_and_check(path, chance.randint(1, 60))
    assert not set_aside(path)


class Killed(BaseException):
    """As if the process were no more."""


CALLS = ("write", "fdatasync", "fsync", "ftruncate", "link", "open")


class Fate:
    """The n-th system call of the process is its last; a write may stop half-way."""

    def __init__(self, last: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = last
        for name in CALLS:
            monkeypatch.setattr(os, name, self._fatal(getattr(os, name), name))
        monkeypatch.setattr(Path, "replace", self._fatal(Path.replace, "replace"))

    def _fatal(self, real: Any, name: str) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                if name == "write":
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                raise Killed
            if self.left < 0:
                raise Killed
            return real(*args, **more)

        return call


def live(path: Path, acknowledged: list[str]) -> None:
    """A short life with everything in it; each thing done is noted once it is acknowledged."""
    store = opened(path, FakeClock())
    try:
        stored = put(store, "a")
        acknowledged.append("put")
        run = claimed(store, stored, lead(store))
        acknowledged.append("claimed")
        store.record([told(run)])
        acknowledged.append("published")
        for n in range(30):
            now = row(store, "a").revision
            store.write([Change("a", now, entry("a", args=[n]))])
        acknowledged.append("edited")
    finally:
        store.close()


def test_a_kill_at_any_system_call_loses_nothing_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelve, "SPARE", 20)
    last, done = 1, False
    while not done:
        path = tmp_path / f"shelf-{last}"
        acknowledged: list[str] = []
        with monkeypatch.context() as patch:
            Fate(last, patch)
            try:
                live(path, acknowledged)
                done = True
            except Killed:
                pass
        store = opened(path, FakeClock())
        states = [record.state for record in past(store)]
        if "put" in acknowledged:
            assert names(store.find(Query())) == ["a"], last
        if "claimed" in acknowledged:
            assert row(store, "a").runs == 1, last
            assert states in (["claimed"], ["published"]), last
        if "published" in acknowledged:
            assert states == ["published"], last
        if "edited" in acknowledged:
            assert row(store, "a").entry.args == (29,), last
        assert not store.problems(), last
        put(store, "after")
        store.close()
        last += 3 if last > 60 else 1
    assert last > 60


# a full disk


@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_a_full_disk_changes_nothing_and_is_said(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    store = opened(path)
    put(store, "before")
    real, full = getattr(os, call), True

    def out_of_space(file: int, *rest: Any) -> Any:
        if full:
            if rest:
                real(file, bytes(rest[0])[:7])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, *rest)

    monkeypatch.setattr(os, call, out_of_space)
    with pytest.raises(StoreError, match=r"no space left for .*shelf; nothing was changed"):
        put(store, "lost")
    assert names(store.find(Query())) == ["before"]
    full = False
    put(store, "after")
    again = opened(path)
    assert names(again.find(Query())) == names(store.find(Query())) == ["after", "before"]
    assert not set_aside(path)
    store.close()
    again.close()


def test_a_limit_on_the_size_of_a_file_changes_nothing_and_is_said(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    process = context.Process(target=_write_within_a_limit, args=(path, answers))
    process.start()
    acknowledged, text = answers.get()
    process.join()
    assert "no space left" in text
    store = opened(path)
    assert len(list(store.find(Query()))) == acknowledged
    put(store, "after")
    store.close()


def _write_within_a_limit(path: Path, answers: Any) -> None:
    import resource

    store, n = opened(path), 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        while True:
            put(store, f"entry-{n}")
            n += 1
    except StoreError as error:
        answers.put((n, str(error)))


def test_a_rewriting_that_finds_no_room_harms_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelve, "SPARE", 0)
    store = opened(path)
    real = os.fsync

    def out_of_space(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", out_of_space)
    put_many(store, [f"entry-{n}" for n in range(20)])
    for n in range(20):
        stored = row(store, f"entry-{n}")
        store.write([Change(f"entry-{n}", stored.revision, entry(f"entry-{n}", args=[n]))])
    monkeypatch.setattr(os, "fsync", real)
    assert not list(path.parent.glob("*.new"))
    again = opened(path)
    assert [stored.entry.args for stored in again.find(Query(names=("entry-7",)))] == [(7,)]
    store.close()
    again.close()


# a spoilt file


def filled(path: Path) -> list[Any]:
    store = opened(path)
    stored = put_many(store, [f"entry-{n:03}" for n in range(50)])
    run = claimed(store, stored[0], lead(store))
    store.record([told(run)])
    store.close()
    return list(opened(path).find(Query()))


def halved(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def zeroed(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def garbled(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0x40
    file.write_bytes(data)


def replaced(file: Path) -> None:
    file.write_bytes(b"something else\n" * 40)


def cut_by_a_line(file: Path) -> None:
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))


SPOILINGS = [halved, emptied, zeroed, garbled, replaced, cut_by_a_line]


@pytest.mark.parametrize("spoil", SPOILINGS)
def test_a_spoilt_shelf_is_restored_set_aside_and_named(
    path: Path, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    before = filled(path)
    spoil(path)
    spoilt = path.read_bytes()
    with caplog.at_level(logging.WARNING):
        store = opened(path)
    assert list(store.find(Query())) == before
    assert [record.state for record in past(store)] == ["published"]
    (bad,) = set_aside(path)
    assert bad.read_bytes() == spoilt
    assert str(bad) in caplog.text
    assert any(str(bad) in problem for problem in store.problems())
    store.close()
    again = opened(path)
    assert list(again.find(Query())) == before
    assert not again.problems()
    again.close()


@pytest.mark.parametrize("spoil", SPOILINGS)
def test_a_spoilt_copy_costs_nothing(path: Path, spoil: Callable[[Path], None]) -> None:
    before = filled(path)
    spoil(Path(f"{path}.copy"))
    store = opened(path)
    assert list(store.find(Query())) == before
    put(store, "after")
    store.close()
    again = opened(path)
    assert len(list(again.find(Query()))) == 51
    again.close()


def test_a_missing_shelf_is_restored_from_its_copy_and_a_missing_copy_made(path: Path) -> None:
    before = filled(path)
    path.unlink()
    store = opened(path)
    assert list(store.find(Query())) == before
    assert any("was missing" in problem for problem in store.problems())
    store.close()
    Path(f"{path}.copy").unlink()
    again = opened(path)
    assert list(again.find(Query())) == before
    assert Path(f"{path}.copy").read_bytes() == path.read_bytes()
    again.close()


def test_what_is_good_in_two_spoilt_files_is_put_together(path: Path) -> None:
    before = filled(path)
    lines = path.read_bytes().splitlines(keepends=True)
    for file, place in ((path, 1), (Path(f"{path}.copy"), 2)):
        spoilt = [b"x" * 9 + line[9:] if n == place else line for n, line in enumerate(lines)]
        file.write_bytes(b"".join(spoilt))
    store = opened(path)
    assert list(store.find(Query())) == before
    assert len(set_aside(path)) == 2
    assert any("all of it was found" in problem for problem in store.problems())
    store.close()


def test_what_is_lost_in_both_files_is_counted(path: Path) -> None:
    filled(path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[-1] = b"x" * 9 + lines[-1][9:]
    lines[-2] = b"x" * 9 + lines[-2][9:]
    lines.append(lines[0].replace(b" 0 ", b" 9 "))
    for file in (path, Path(f"{path}.copy")):
        file.write_bytes(b"".join(lines))
    store = opened(path)
    assert len(list(store.find(Query()))) == 50
    assert len(set_aside(path)) == 2
    store.close()


def test_a_shelf_spoilt_under_a_running_daemon_is_restored(path: Path) -> None:
    store = opened(path)
    before = put_many(store, ["a", "b"])
    halved(path)
    assert list(store.find(Query())) == before
    garbled(path)
    put(store, "c")
    other = opened(path)
    assert names(other.find(Query())) == names(store.find(Query())) == ["a", "b", "c"]
    path.unlink()
    assert names(store.find(Query())) == ["a", "b", "c"]
    store.close()
    other.close()


def test_a_torn_tail_is_cut_off_without_a_word(path: Path) -> None:
    before = filled(path)
    with path.open("ab") as file:
        file.write(b'0123abcd 9 [["versi')
    store = opened(path)
    assert list(store.find(Query())) == before
    assert not store.problems()
    with path.open("ab") as file:
        file.write(b'0123abcd 9 [["versi')
    put(store, "after")
    store.close()
    again = opened(path)
    assert len(list(again.find(Query()))) == 51
    assert not again.problems()
    again.close()


# what cannot be a shelf


def test_a_file_of_another_program_is_left_alone(path: Path) -> None:
    theirs = b"GDBM\x00 something else\n" * 10
    path.write_bytes(theirs)
    with pytest.raises(StoreUnusable, match="is no shelf of beatd and was left alone"):
        opened(path)
    assert path.read_bytes() == theirs


def test_a_directory_is_no_shelf(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="is a directory; name a file in it"):
        opened(tmp_path)
    with pytest.raises(StoreUnusable, match="/ is a directory; name a file in it"):
        opened(Path("/"))


def test_a_directory_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="a directory that does not exist"):
        opened(tmp_path / "none" / "shelf")


def test_a_path_beneath_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnusable, match="not a directory"):
        opened(tmp_path / "file" / "shelf")


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.EACCES, "may not be read and written"), (errno.EROFS, "read-only file system")],
)
def test_what_may_not_be_written_is_said_in_one_line(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    def refuse(*args: Any, **more: Any) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StoreUnusable, match=says) as refused:
        opened(path)
    assert "\n" not in str(refused.value)


def test_a_shelf_of_a_newer_beatd_is_refused(path: Path) -> None:
    filled(path)
    header = journal._sealed(0, b'{"beatd":"shelf","format":2,"generation":"x"}')
    for file in (path, Path(f"{path}.copy")):
        lines = file.read_bytes().splitlines(keepends=True)
        file.write_bytes(b"".join([header, *lines[1:]]))
    with pytest.raises(StoreUnusable, match="newer beatd"):
        opened(path)


@pytest.mark.parametrize("starts", [False, True])
def test_a_line_of_a_newer_beatd_is_refused_until_it_is_gone(path: Path, starts: bool) -> None:
    """A daemon that runs, and one whose handle outlives its first refusal."""
    store = opened(path)
    put(store, "one")
    sound = path.read_bytes()
    number = sound.count(b"\n")
    newer = journal._sealed(number, b'[["kind_of_the_future",1],["version",77]]')
    for file in (path, Path(f"{path}.copy")):
        with file.open("ab") as shelf:
            shelf.write(newer)
    if starts:
        store._forget()
    for _ in range(3):
        with pytest.raises(StoreUnusable, match="a newer one wrote it"):
            store.count()
        with pytest.raises(StoreUnusable, match="a newer one wrote it"):
            put(store, "two")
    assert path.read_bytes() == sound + newer
    for file in (path, Path(f"{path}.copy")):
        file.write_bytes(sound)
    assert put(store, "two").revision == row(store, "one").revision + 1


def test_all_files_are_private(path: Path) -> None:
    filled(path)
    path.write_bytes(b"")
    store = opened(path)
    from beatd.ledger import Presence

    store.announce(Presence(holder(), "leader", True, at(0)), 5)
    for file in path.parent.iterdir():
        if ".bad-" not in file.name:
            assert file.stat().st_mode & 0o777 == 0o600, file
    store.close()


# several processes


def test_a_shelf_held_by_another_for_too_long_is_said(path: Path) -> None:
    import fcntl

    store = opened(path, FakeClock())
    with Path(f"{path}.access").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="another process has held"):
            store.version()
    store.version()
    store.close()


def add_some(path: Path, mine: int) -> None:
    store = opened(path)
    for n in range(25):
        put(store, f"entry-{mine}-{n}")
        while True:
            shared = row(store, "shared")
            count = shared.entry.kwargs["count"] + 1
            change = Change("shared", shared.revision, entry("shared", kwargs={"count": count}))
            if store.write([change])[0]:
                break
    store.close()


def test_processes_that_write_at_once_lose_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelve, "SPARE", 30)
    store = opened(path)
    store.write([Change("shared", 0, entry("shared", kwargs={"count": 0}), plan(0))])
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=add_some, args=(path, n)) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert row(store, "shared").entry.kwargs == {"count": 100}
    assert len(list(store.find(Query()))) == 101
    assert not store.problems()
    store.close()


def test_a_forked_child_shares_no_lock_with_its_parent(path: Path) -> None:
    store = opened(path)
    put(store, "before")
    context = multiprocessing.get_context("fork")
    child = context.Process(target=put, args=(store, "child"))
    child.start()
    child.join()
    assert child.exitcode == 0
    put(store, "parent")
    assert names(store.find(Query())) == ["before", "child", "parent"]
    store.close()
