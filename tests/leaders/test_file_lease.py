"""A lock on a file: the kernel frees it when its holder dies."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from beatd.errors import StoreError, StoreUnusable
from beatd.leader import Holder
from beatd.leaders.file import FileLease
from beatd.leaders.none import NoLease


def holder(name: str) -> Holder:
    return Holder(name, "host", os.getpid(), datetime(2026, 1, 1, tzinfo=UTC), name)


def test_one_holds_it_and_the_others_see_who(tmp_path: Path) -> None:
    one, two = FileLease(tmp_path / "lock"), FileLease(tmp_path / "lock")
    assert one.take(holder("a"), 2) == holder("a")
    assert two.take(holder("b"), 2) == holder("a")
    assert one.take(holder("a"), 2) == holder("a"), "a renewal"
    one.close()
    two.close()


def test_released_it_is_free_at_once(tmp_path: Path) -> None:
    one, two = FileLease(tmp_path / "lock"), FileLease(tmp_path / "lock")
    one.take(holder("a"), 2)
    one.release(holder("a"))
    assert two.take(holder("b"), 2) == holder("b")
    two.close()


def test_a_killed_holder_frees_it(tmp_path: Path) -> None:
    script = (
        "import sys, signal; from tests.leaders.test_file_lease import *;"
        "FileLease(Path(sys.argv[1])).take(holder('dead'), 2);"
        "print('held', flush=True); signal.pause()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "lock")], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        lease = FileLease(tmp_path / "lock")
        assert lease.take(holder("b"), 2).name == "dead"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert lease.take(holder("b"), 2) == holder("b")
    lease.close()


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    lease = FileLease(tmp_path / "lock")
    lease.take(holder("a"), 2)
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    lease.close()


def test_a_folder_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file or directory"):
        FileLease(tmp_path / "nowhere" / "lock").take(holder("a"), 2)


def test_a_full_disk_leaves_the_lock_to_who_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    one, two = FileLease(tmp_path / "lock"), FileLease(tmp_path / "lock")
    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        with pytest.raises(StoreError, match="No space left on device"):
            one.take(holder("a"), 2)
    assert two.take(holder("b"), 2) == holder("b")
    two.close()


def test_without_a_lock_everyone_leads() -> None:
    assert NoLease().take(holder("a"), 2) == holder("a")
    assert NoLease().take(holder("b"), 2) == holder("b")


def test_a_lock_on_a_deleted_file_is_no_lock(tmp_path: Path) -> None:
    one, two = FileLease(tmp_path / "lock"), FileLease(tmp_path / "lock")
    one.take(holder("a"), 2)
    (tmp_path / "lock").unlink()
    with pytest.raises(StoreError, match="deleted or replaced"):
        one.take(holder("a"), 2)
    assert two.take(holder("b"), 2) == holder("b")
    assert one.take(holder("a"), 2) == holder("b")
    one.close()
    two.close()


def test_a_file_that_is_no_lock_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious.yaml"
    precious.write_text("entries: {}\n")
    with pytest.raises(StoreUnusable, match="is not a lock of beatd and was left alone"):
        FileLease(precious).take(holder("a"), 2)
    assert precious.read_text() == "entries: {}\n"


def test_a_link_at_its_path_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("")
    (tmp_path / "lock").symlink_to(precious)
    with pytest.raises(StoreUnusable, match="is a symbolic link, which is not followed"):
        FileLease(tmp_path / "lock").take(holder("a"), 2)
    assert precious.read_text() == ""


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir])
def test_what_is_no_plain_file_is_refused_at_once(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "lock")
    with pytest.raises(StoreError, match=r"is not a lock of beatd|Is a directory"):
        FileLease(tmp_path / "lock").take(holder("a"), 2)
