"""A disk that is nearly full or slow is told before it is the end of a night."""

from pathlib import Path
from typing import Any

import pytest

from beatd.stores import disk
from beatd.stores.disk import problems_of_disk
from tests.stores.places import opened, shelve, sqlite


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "time_to_keep", lambda folder: 0.001)


@pytest.mark.usefixtures("fast")
def test_a_disk_that_is_nearly_full_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "beatd.db"
    file.write_bytes(b"x" * 1000)
    monkeypatch.setattr(disk, "room_left", lambda folder: 12_345_678)
    (line,) = problems_of_disk(file)
    assert line == f"{tmp_path}: 12 MB are left on this disk; free some space"


@pytest.mark.usefixtures("fast")
def test_a_large_file_needs_as_much_room_again_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shelf"
    with file.open("wb") as sparse:
        sparse.truncate(200_000_000)
    monkeypatch.setattr(disk, "room_left", lambda folder: 300_000_000)
    assert "300 MB are left" in problems_of_disk(file)[0]
    monkeypatch.setattr(disk, "room_left", lambda folder: 500_000_000)
    assert not problems_of_disk(file)


def test_a_slow_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "beatd.db"
    file.touch()
    monkeypatch.setattr(disk, "room_left", lambda folder: 10**12)
    monkeypatch.setattr(disk, "time_to_keep", lambda folder: 0.0816)
    (line,) = problems_of_disk(file)
    assert "takes 82 ms to keep a write" in line


def test_its_time_is_measured_and_nothing_is_left_behind(tmp_path: Path) -> None:
    assert disk.time_to_keep(tmp_path) > 0
    assert disk.room_left(tmp_path) > 0
    assert not list(tmp_path.iterdir())


def test_a_place_that_is_gone_has_no_disk_to_speak_of(tmp_path: Path) -> None:
    assert not problems_of_disk(tmp_path / "gone" / "beatd.db")


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("place", [sqlite, shelve])
def test_stores_in_files_tell_of_their_disk(
    place: Any, tmp_path: Path, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "room_left", lambda folder: 5_000_000)
    with opened(place, tmp_path, server) as open_one:
        assert any("5 MB are left" in line for line in open_one().problems())
