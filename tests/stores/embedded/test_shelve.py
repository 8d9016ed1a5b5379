"""A shelf: a file for Python's shelve. Nothing acknowledged is lost by a kill or a full disk,
and nothing damaged ends the store."""

import errno
import json
import logging
import multiprocessing
import os
import pickle
import random
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from beatd.catalog import Change, Query
from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.errors import StoreError, StoreUnusable
from beatd.presence import Presence
from beatd.stores.embedded.shelve import ShelveStore
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


def cells(path: Path) -> dict[str, Any]:
    """What lies in the file, read without beatd."""
    with sqlite3.connect(path) as file:
        found = {k.decode(): pickle.loads(v) for k, v in file.execute("SELECT * FROM Dict")}
    file.close()
    return found


def damage(path: Path, key: str, value: Any) -> None:
    with sqlite3.connect(path) as file:
        done = file.execute("UPDATE Dict SET value = ? WHERE key = ?", (value, key.encode()))
        assert done.rowcount == 1
    file.close()


# killed


def write_for_ever(path: Path, acknowledge: int) -> None:
    """Add, claim, record and remove as fast as possible; a byte for each thing acknowledged."""
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


@pytest.mark.long
@pytest.mark.timeout(900)
def test_five_hundred_kills_lose_nothing_acknowledged(path: Path) -> None:
    chance = random.Random(2)
    for n in range(500):
        if n % 50 == 0:
            for file in path.parent.iterdir():
                file.unlink()
        kill_and_check(path, chance.randint(1, 60))


# a full disk


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


# the file


def pythons() -> list[str]:
    """Pythons whose own `shelve` knows this layout: 3.13 and later."""
    found = (shutil.which(f"python3.{minor}") for minor in range(13, 20))
    try_it = ("-c", "import dbm.sqlite3, shelve")
    return [
        python
        for python in found
        if python and not subprocess.run([python, *try_it], capture_output=True).returncode
    ]


def test_its_layout_is_that_of_dbm_sqlite3_and_its_values_are_plain(path: Path) -> None:
    store = opened(path)
    put(store, "a", args=[1, "two"])
    with sqlite3.connect(path) as file:
        (made,) = file.execute("SELECT sql FROM sqlite_master WHERE name = 'Dict'").fetchone()
        columns = [(c[1], c[2], c[3]) for c in file.execute("PRAGMA table_info('Dict')")]
    file.close()
    assert "key BLOB UNIQUE NOT NULL" in made
    assert columns == [("key", "BLOB", 1), ("value", "BLOB", 1)]
    found = cells(path)
    assert found["entry:a"]["definition"]["args"] == [1, "two"]
    assert found["plan:a"]["runs"] == 0
    store.close()


def test_pythons_own_shelve_opens_it_while_a_store_uses_it(path: Path) -> None:
    store = opened(path)
    put(store, "a")
    script = f"import shelve; print(shelve.open({str(path)!r})['entry:a']['definition']['task'])"
    for python in pythons():
        answer = subprocess.run([python, "-c", script], capture_output=True, text=True)
        assert answer.stdout == "proj.tidy\n", answer.stderr
    assert names(store.find(Query())) == ["a"]
    put(store, "b")
    store.close()
    assert len(list(opened(path).find(Query()))) == 2


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch pwned",)


NOT_PLAIN = {
    "a global": pickle.dumps(Evil()),
    "a harmless global": pickle.dumps(Path("x")),
    "a persistent id": b"Pwhat\n.",
    "an extension code": b"\x80\x02\x82\x01.",
    "cut short": pickle.dumps({"name": "a" * 100})[:-20],
    "empty": b"",
    "text": b"hello",
    "a missing field": pickle.dumps({"name": "a"}),
    "a wrong type": pickle.dumps([1, 2]),
    "deep": b"(" * 50_000 + b"l" * 50_000 + b".",
    "a surrogate": pickle.dumps({"name": "\ud800"}),
    "a huge number in SQLite": 10**15,
}


@pytest.mark.parametrize("damaged", NOT_PLAIN)
@pytest.mark.parametrize("kind", ["entry", "plan"])
def test_a_damaged_value_is_left_alone_and_named_and_the_others_run(
    path: Path, kind: str, damaged: str, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    monkeypatch.chdir(path.parent)
    store = opened(path)
    put_many(store, ["a", "b"])
    store.close()
    damage(path, f"{kind}:a", NOT_PLAIN[damaged])
    with caplog.at_level(logging.ERROR):
        store = opened(path)
    assert [stored.entry.name for stored in store.upcoming(10)] == ["b"]
    claimed(store, row(store, "b"), lead(store))
    assert any(f"{kind}:a" in problem for problem in store.problems())
    assert f"{kind}:a" in caplog.text
    assert not (path.parent / "pwned").exists()
    store.close()


def test_damaged_claims_records_and_marks_end_nothing(path: Path) -> None:
    store = opened(path)
    first, second = put_many(store, ["a", "b"])
    run = claimed(store, first, lead(store))
    store.record([told(run)])
    claimed(store, second, lead(store))
    store.announce(Presence(holder(), "leader", True, at(0)), 5)
    store.close()
    kinds = ("claim", "record", "term", "daemons", "version")
    for key in [key for key in cells(path) if key.partition(":")[0] in kinds]:
        damage(path, key, b"garbage")
    store = opened(path)
    assert names(store.find(Query())) == ["a", "b"]
    assert past(store) == []
    assert store.daemons() == []
    assert len(store.problems()) >= 3
    put(store, "c")
    store.close()


def test_a_plan_without_an_offset_is_left_alone(path: Path) -> None:
    store = opened(path)
    put_many(store, ["a", "b"])
    value = cells(path)["plan:a"]
    value["plan"]["planned"] = value["plan"]["due"] = "2026-03-01T12:00:00"
    damage(path, "plan:a", pickle.dumps(value))
    assert [stored.entry.name for stored in opened(path).upcoming(10)] == ["b"]
    store.close()


def test_a_damaged_format_is_said(path: Path) -> None:
    opened(path).close()
    damage(path, "format", b"garbage")
    with pytest.raises(StoreUnusable, match="its key format cannot be read"):
        opened(path)


@pytest.mark.parametrize("damaged", [b"garbage", pickle.dumps("x"), pickle.dumps(-1)])
def test_a_damaged_list_of_changes_is_read_past(path: Path, damaged: bytes) -> None:
    store, other = opened(path), opened(path)
    put(store, "a")
    damage(path, "changes", damaged)
    assert names(other.find(Query())) == names(opened(path).find(Query())) == ["a"]
    put(other, "b")
    put(store, "c")
    assert names(other.find(Query())) == ["a", "b", "c"]
    damage(path, "changed:000000000002", pickle.dumps(["x"]))
    assert names(store.find(Query())) == ["a", "b", "c"]
    for one in (store, other):
        one.close()


def test_a_damaged_identity_is_said(path: Path) -> None:
    store = opened(path)
    put(store, "a")
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(
            "UPDATE Dict SET value = ? WHERE key = ?",
            (pickle.dumps({"namespace": "x"}), b"identity"),
        )
    with pytest.raises(StoreUnusable, match="the identity of the store is damaged: 'x'"):
        _ = opened(path).namespace
    store.close()


def test_a_damaged_file_is_said_and_left_alone(path: Path) -> None:
    store = opened(path)
    put_many(store, [f"entry-{n:03}" for n in range(300)])
    store.close()
    data = bytearray(path.read_bytes())
    first_page = 4096
    data[first_page:] = b"\xff" * (len(data) - first_page)
    path.write_bytes(data)
    with pytest.raises(StoreUnusable, match="is damaged; restore a copy of it"):
        opened(path)
    assert path.read_bytes() == data


@pytest.mark.parametrize("gone", ["", "-wal"])
def test_a_file_that_is_deleted_under_a_running_store_is_noticed(
    path: Path, gone: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened(path)
    put(store, "a")
    before = store.namespace
    Path(f"{path}{gone}").unlink()
    with caplog.at_level(logging.WARNING):
        put(store, "b")
    assert "came back as another file" in caplog.text
    assert any("came back as another file" in problem for problem in store.problems())
    assert names(store.find(Query())) == names(opened(path).find(Query()))
    assert gone or store.namespace != before
    store.close()


def test_links_at_its_side_are_never_followed(path: Path, tmp_path: Path) -> None:
    """Whoever owns the folder must not make root write elsewhere."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    precious.chmod(0o640)
    for ending in (".access", ".new", ".copy", ".lock", "-wal", "-shm", "-journal"):
        Path(f"{path}{ending}").symlink_to(precious)
    try:
        store = opened(path)
        put(store, "a")
        store.close()
    except StoreError:
        pass
    assert precious.read_text() == "precious"
    assert precious.stat().st_mode & 0o777 == 0o640


# an older form


def old_line(number: int, text: str) -> bytes:
    numbered = f"{number} {text}".encode()
    return b"%08x %b\n" % (crc32(numbered), numbered)


def old_shelf() -> bytes:
    namespace = "12345678123456781234567812345678"
    definition = codec.encode(entry("a")).decode()
    entries = (
        f'["defined","a",3,"cli","",true,false,{definition}],'
        '["planned","a",{"planned":"2026-03-01T12:00:00Z","due":"2026-03-01T12:00:00Z",'
        '"fingerprint":"f","rules":"r"},7,"2026-03-01T11:59:00Z"],'
        '["line",1,"2026-03-01T11:59:00Z",{"name":"a","planned":"2026-03-01T11:59:00Z",'
        '"state":"published"},null],'
        '["claimed",{"name":"a","planned":"2026-03-01T11:58:00Z","request":""},"some-task-id",'
        '"2026-03-01T11:58:00Z","2026-03-01T11:58:01Z",2,false]'
    )
    lines = [
        '{"beatd":"shelf","format":1,"generation":"x"}',
        f'[["identity","{namespace}"],["version",3]]',
        f"[{entries}]",
        '[["defined","gone",4,"cli","",true,false,{"task":"x"}]]',
        '[["removed","gone"],["version",5]]',
    ]
    return b"".join(old_line(number, line) for number, line in enumerate(lines))


@pytest.mark.parametrize("left", ["both", "the file", "the copy", "a torn tail"])
def test_an_older_shelf_is_taken_over_once(path: Path, left: str) -> None:
    tail = b'0123abcd 9 [["versi' if left == "a torn tail" else b""
    if left != "the copy":
        path.write_bytes(old_shelf() + tail)
    if left != "the file":
        Path(f"{path}.copy").write_bytes(old_shelf())
    store = opened(path)
    (stored,) = store.find(Query())
    assert (stored.entry.name, stored.revision, stored.runs) == ("a", 3, 7)
    assert store.version() == "5"
    assert store.namespace.hex == "12345678123456781234567812345678"
    assert [record.state for record in past(store)] == ["published", "claimed"]
    if left != "the copy":
        assert Path(f"{path}.old").read_bytes() == old_shelf() + tail
    assert not Path(f"{path}.copy").exists()
    put(store, "b")
    store.close()
    assert names(opened(path).find(Query())) == ["a", "b"]


def test_an_older_shelf_that_another_process_uses_is_not_taken_over(path: Path) -> None:
    import fcntl

    path.write_bytes(old_shelf())
    with Path(f"{path}.access").open("w") as access:
        fcntl.flock(access, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="stop every older beatd first"):
            opened(path)
    assert path.read_bytes() == old_shelf()


def test_an_older_shelf_whose_daemon_runs_is_not_taken_over(path: Path) -> None:
    path.write_bytes(old_shelf())
    seen = datetime.now(UTC)
    told = {"t": {"presence": {}, "at": seen.isoformat(), "ttl": 5.0}}
    Path(f"{path}.daemons").write_text(json.dumps(told))
    with pytest.raises(StoreError, match="a daemon of an older beatd uses it"):
        opened(path)
    assert path.read_bytes() == old_shelf()
    told["t"]["at"] = (seen - timedelta(seconds=60)).isoformat()
    Path(f"{path}.daemons").write_text(json.dumps(told))
    assert names(opened(path).find(Query())) == ["a"]


def test_what_is_good_in_two_damaged_files_of_an_older_shelf_is_put_together(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = old_shelf().splitlines(keepends=True)
    for file, places in ((path, (2, 3)), (Path(f"{path}.copy"), (1, 3))):
        spoilt = [b"x" * 9 + line[9:] if n in places else line for n, line in enumerate(lines)]
        file.write_bytes(b"".join(spoilt))
    with caplog.at_level(logging.WARNING):
        store = opened(path)
    assert names(store.find(Query())) == ["a"]
    assert "1 of its lines are lost" in caplog.text
    store.close()


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
    opened(path).close()
    damage(path, "format", pickle.dumps({"beatd": "shelf", "format": 3}))
    with pytest.raises(StoreUnusable, match="newer beatd"):
        opened(path)


def test_a_shelf_of_another_program_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)")
        file.execute("INSERT INTO Dict VALUES (?, ?)", (b"entries", pickle.dumps({})))
    file.close()
    with pytest.raises(StoreUnusable, match="a shelf of another program and was left alone"):
        opened(path)
    assert list(cells(path)) == ["entries"]


def test_a_database_that_is_no_shelf_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE theirs (a)")
    file.close()
    with pytest.raises(StoreUnusable, match="holds the table 'theirs'"):
        opened(path)


def test_all_files_are_private(path: Path) -> None:
    store = opened(path)
    put(store, "a")
    store.announce(Presence(holder(), "leader", True, at(0)), 5)
    assert len(list(path.parent.iterdir())) > 1
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
    store.close()


# several processes


def test_a_shelf_held_by_another_for_too_long_is_said(path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("beatd.stores.embedded.shelf_file.PATIENCE_S", 0.05)
    store = opened(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another process has held"):
        put(store, "a")
    assert names(store.find(Query())) == []
    other.close()
    put(store, "a")
    store.close()


def test_whoever_is_far_behind_reads_everything_again(path: Path) -> None:
    store, other = opened(path), opened(path)
    for n in range(150):
        put(store, f"entry-{n}")
    stored = row(store, "entry-7")
    store.write([Change("entry-7", stored.revision, None)])
    assert len(list(other.find(Query()))) == 149
    store.close()
    other.close()


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


def test_processes_that_write_at_once_lose_nothing(path: Path) -> None:
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
