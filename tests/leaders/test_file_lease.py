"""A lock on a file: what only a file can suffer."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from beatd.errors import StoreError, StoreUnusable
from beatd.leaders.file import FileLease
from tests.leaders.holders import holder

ONE, TWO = holder("one"), holder("two")


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    lease = FileLease(tmp_path / "lock")
    lease.take(ONE, 2)
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    lease.close()


def test_a_full_disk_leaves_the_lock_to_who_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    one, two = FileLease(tmp_path / "lock"), FileLease(tmp_path / "lock")
    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        with pytest.raises(StoreError, match="No space left on device"):
            one.take(ONE, 2)
    assert two.take(TWO, 2) == TWO
    two.close()


def test_a_lock_on_a_deleted_file_is_no_lock(tmp_path: Path) -> None:
    one, two = FileLease(tmp_path / "lock"), FileLease(tmp_path / "lock")
    one.take(ONE, 2)
    (tmp_path / "lock").unlink()
    with pytest.raises(StoreError, match="deleted or replaced"):
        one.take(ONE, 2)
    assert two.take(TWO, 2) == TWO
    assert one.take(ONE, 2) == TWO
    one.close()
    two.close()


def test_a_file_that_is_no_lock_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious.yaml"
    precious.write_text("entries: {}\n")
    with pytest.raises(StoreUnusable, match="is not a lock of beatd and was left alone"):
        FileLease(precious).take(ONE, 2)
    assert precious.read_text() == "entries: {}\n"


def test_a_link_at_its_path_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("")
    (tmp_path / "lock").symlink_to(precious)
    with pytest.raises(StoreUnusable, match="is a symbolic link, which is not followed"):
        FileLease(tmp_path / "lock").take(ONE, 2)
    assert precious.read_text() == ""


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir])
def test_what_is_no_plain_file_is_refused_at_once(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "lock")
    with pytest.raises(StoreError, match=r"is not a lock of beatd|Is a directory"):
        FileLease(tmp_path / "lock").take(ONE, 2)
