"""A store that was copied is marked, so that no daemon runs on it beside one on the copy."""

from typing import Any

import pytest

from beatd.errors import BeatError, StoreError
from beatd.marks import CopiedTo, Mark
from tests.copying.test_store_copying import CIRCLE, Open, copy, fill, opening
from tests.stores.making import at, lead, put
from tests.stores.places import shelve, sqlite

__all__ = ["opening"]
NEW = "postgresql://beatd:***@db/beatd"


@pytest.mark.parametrize("place", CIRCLE[:-1], ids=lambda place: place.__name__)
def test_a_complete_copy_marks_the_store_that_it_was_made_of(opening: Open, place: Any) -> None:
    source, target = opening(place), opening(sqlite)
    fill(source)
    assert copy(source, target, NEW).is_whole
    assert source.marks.copied_to() == CopiedTo(NEW, at(1000))
    assert target.marks.copied_to() is None
    again = copy(source, target, NEW)
    assert again.is_whole and again.resumed


def test_an_emptied_store_that_gets_a_copy_may_be_used_again(opening: Open) -> None:
    source, target = opening(shelve), opening(sqlite)
    put(source)
    target.marks.write_copied_to("sqlite:////elsewhere.db", at(0))
    assert copy(source, target, NEW).is_whole
    assert target.marks.copied_to() is None
    target.marks.write_copied_to("sqlite:////elsewhere.db", at(2000))
    assert copy(source, target, NEW).is_whole, "it is only counted again"
    assert target.marks.copied_to() is not None


def test_a_backup_marks_neither(opening: Open) -> None:
    source, target = opening(sqlite), opening(shelve)
    fill(source)
    assert copy(source, target).is_whole
    assert source.marks.copied_to() is None
    assert target.marks.copied_to() is None


def test_a_copy_that_lacks_something_marks_nothing(opening: Open) -> None:
    source, target = opening(sqlite), opening(shelve)
    put(source)
    copy(source, target)
    put(target, "more")
    assert not copy(source, target, NEW).is_whole
    assert source.marks.copied_to() is None


def test_a_daemon_that_begins_to_lead_meanwhile_keeps_its_store(
    opening: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = opening(sqlite), opening(shelve)
    put(source)
    write = source.write_mark

    def write_mark(mark: Mark) -> None:
        if mark.text == NEW:
            lead(source)
        write(mark)

    monkeypatch.setattr(source, "write_mark", write_mark)
    with pytest.raises(BeatError, match="FROM changed while it was copied"):
        copy(source, target, NEW)
    assert source.marks.copied_to() is None


def test_a_store_that_takes_no_mark_is_told_with_the_way_out(
    opening: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = opening(sqlite), opening(shelve)
    put(source)

    def write_mark(mark: Mark) -> None:
        raise StoreError("read-only")

    monkeypatch.setattr(source, "write_mark", write_mark)
    with pytest.raises(BeatError, match=r"FROM cannot be marked as copied: read-only; .*--backup"):
        copy(source, target, NEW)
    assert copy(source, target).is_whole
