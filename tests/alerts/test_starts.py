"""From when entries are judged, across changes of the leader."""

from datetime import UTC, datetime, timedelta

import pytest

from beatd.alerts.starts import KEPT_MAX, Start, Starts

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=9)


def test_a_new_entry_counts_from_its_first_sight_also_for_the_next_leader() -> None:
    starts = Starts()
    starts.see({"a": False}, NOW)
    starts.see({"a": False, "b": False}, LATER)
    following = Starts(starts.text())
    following.see({"a": False, "b": False}, LATER + timedelta(days=1))
    assert (following.get("a"), following.get("b")) == (Start(NOW), Start(LATER))


def test_an_entry_resumed_while_nobody_led_counts_from_the_next_leader() -> None:
    starts = Starts()
    starts.see({"a": True}, NOW)
    following = Starts(starts.text())
    following.see({"a": False}, LATER)
    assert following.get("a") == Start(LATER, is_resume=True)


def test_an_entry_that_succeeds_needs_no_note() -> None:
    starts = Starts()
    starts.see({"a": False, "b": False}, NOW)
    starts.succeeded("a", LATER)
    starts.succeeded("b", NOW - timedelta(days=1))
    assert set(Starts(starts.text())._starts) == {"b"}


def test_a_pause_after_a_success_is_noted_again() -> None:
    starts = Starts()
    starts.see({"a": False}, NOW)
    starts.succeeded("a", LATER)
    starts.see({"a": True}, LATER)
    assert Starts(starts.text()).get("a") == Start(LATER, paused=True)


def test_a_removed_entry_is_forgotten() -> None:
    starts = Starts()
    starts.see({"a": False}, NOW)
    starts.see({}, LATER)
    assert starts.get("a") is None and starts.text() == "{}"


def test_an_entry_that_cannot_be_read_is_kept_as_it_is() -> None:
    starts = Starts()
    starts.see({"a": True, "b": False}, NOW)
    starts.see({}, LATER, kept={"a"})
    assert starts.names() == ["a"] and starts.get("a") == Start(NOW, paused=True)


def test_the_note_is_bounded_and_a_broken_one_is_as_none() -> None:
    starts = Starts("no json")
    starts.see({str(number): False for number in range(KEPT_MAX + 5)}, NOW)
    assert len(Starts(starts.text())._starts) == KEPT_MAX


@pytest.mark.parametrize(
    "text", ["x", "[]", '{"a": {"at": "2026-03-02T12:00:00"}}', '{"a": {"b": ' + "[" * 5000]
)
def test_a_damaged_note_counts_anew(text: str) -> None:
    starts = Starts(text)
    starts.see({"a": False}, NOW)
    assert starts.get("a") == Start(NOW)
