"""Marks as typed values, over rows that programs of every version read and write."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import json, to_builtins

from beatd.marks import AppliedSet, Mark, Marks, VerifiedSet

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OWNER = "yaml:config"


class Rows(dict[str, Mark]):
    """The rows of a store."""

    def read_mark(self, key: str) -> Mark | None:
        return self.get(key)

    def write_mark(self, mark: Mark) -> None:
        self[mark.key] = mark


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def marks(rows: Rows) -> Marks:
    return Marks(rows)


def test_a_mark_is_stored_in_the_words_of_every_version() -> None:
    plain = {"source": OWNER, "loaded_at": "2026-03-01T12:00:00Z", "digest": "d"}
    assert to_builtins(Mark(OWNER, NOON, "d")) == plain
    assert json.decode(json.encode(plain), type=Mark) == Mark(OWNER, NOON, "d")


def test_nothing_is_marked_at_first(marks: Marks) -> None:
    assert marks.applied(OWNER) is None and marks.rules() is None
    assert (marks.takeover(OWNER), marks.conflicts(OWNER)) == ("", [])
    assert not marks.is_verified(OWNER, VerifiedSet(NOON, "d", "7", 2))


def test_an_applied_set_lies_under_its_owner(marks: Marks, rows: Rows) -> None:
    applied = AppliedSet(NOON, "d")
    marks.write_applied(OWNER, applied)
    assert rows == {OWNER: Mark(OWNER, NOON, "d")}
    assert marks.applied(OWNER) == applied and applied.holds("d") and not applied.holds("e")


def test_a_set_under_way_says_so_in_its_digest(marks: Marks, rows: Rows) -> None:
    applied = AppliedSet(NOON, "d", whole=False)
    marks.write_applied(OWNER, applied)
    assert rows == {OWNER: Mark(OWNER, NOON, "d under way")}
    assert marks.applied(OWNER) == applied and not applied.holds("d")


def test_a_verified_set_is_verified_in_one_state_of_the_store(marks: Marks, rows: Rows) -> None:
    verified = VerifiedSet(NOON, "d", "7", 2)
    marks.write_verified(OWNER, verified)
    assert rows == {f"{OWNER} seen": Mark(f"{OWNER} seen", NOON, "d 7 2")}
    assert marks.is_verified(OWNER, verified)
    assert marks.is_verified(OWNER, VerifiedSet(NOON + timedelta(1), "d", "7", 2)), "read again"
    for other in (("e", "7", 2), ("d", "8", 2), ("d", "7", 1)):
        assert not marks.is_verified(OWNER, VerifiedSet(NOON, *other))


def test_each_takeover_has_a_token_of_its_own(marks: Marks, rows: Rows) -> None:
    marks.write_takeover(OWNER)
    assert not rows, "an owner that never applied anything is not told"
    marks.write_applied(OWNER, AppliedSet(NOON, "d"))
    marks.write_takeover(OWNER)
    first = marks.takeover(OWNER)
    assert first and rows[f"{OWNER} taken"] == Mark(f"{OWNER} taken", NOON, first)
    marks.write_takeover(OWNER)
    assert marks.takeover(OWNER) not in ("", first)
    assert marks.takeover("app:config") == ""


def test_conflicts_are_lines(marks: Marks, rows: Rows) -> None:
    marks.write_conflicts(OWNER, ["one", "two"], NOON)
    assert rows == {f"{OWNER} conflicts": Mark(f"{OWNER} conflicts", NOON, "one\ntwo")}
    assert marks.conflicts(OWNER) == ["one", "two"]
    marks.write_conflicts(OWNER, [], NOON)
    assert marks.conflicts(OWNER) == []


def test_the_rules_belong_to_no_owner(marks: Marks, rows: Rows) -> None:
    marks.write_rules("2026b/3", NOON)
    assert rows == {"rules": Mark("rules", NOON, "2026b/3")}
    assert marks.rules() == "2026b/3"
