"""The form that runs an entry for past moments: preview, request, progress and calling off."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from beatd.definition import entry_from
from beatd.edits.editing import patch
from beatd.edits.patch import patch_of
from beatd.ledger import Request
from beatd.views import request_progress
from tests.stores.making import asked, lead, row, told
from tests.web.demo_store import ANN
from tests.web.pages.conftest import Shown
from tests.web.pages.reading import flat, hidden_fields

NAME = "cache.warm"  # every 10m
FORM = f"/entries/{NAME}/backfill"
SPAN = "from=2026-01-01T00:00&to=2026-01-01T04:00"  # Asia/Shanghai; 25 moments


def requests(shown: Shown) -> list[Request]:
    return [request for request, _ in shown.store.requests(100)]


def previewed(shown: Shown, span: str = SPAN) -> list[tuple[str, str]]:
    """Return the fields with which a preview is confirmed."""
    return hidden_fields(shown.text(f"{FORM}?{span}", "otto"))


def publish(shown: Shown, *sent: str) -> None:
    """Publish the next moments of the only request, as the leader does, with these results."""
    store, term = shown.store, lead(shown.store)
    for one in sent:
        (request,) = requests(shown)
        found = row(store, request.name)
        following = found.entry.schedule.next_after(request.first)
        is_last = following is None or following > request.last
        move = asked(store, request, found, first=None if is_last else following)
        assert move.run is not None
        run = replace(move.run, origin=request.kind)
        assert store.claim([replace(move, run=run)], term, shown.now) == [True]
        store.record([told(run, one)])


# The preview


def test_a_preview_lists_the_moments_and_requests_nothing(demo: Shown) -> None:
    words = flat(demo.text(f"{FORM}?{SPAN}", "otto"))
    assert "25 moments Nothing has been requested yet." in words
    assert "The first is 2026-01-01 00:00:00 CST , the last 2026-01-01 04:00:00 CST ." in words
    assert "Thu 2026-01-01 03:10:00 CST and 5 more" in words
    assert "03:20:00" not in words
    assert requests(demo) == []


def test_the_moments_are_in_the_zone_of_the_page(demo: Shown) -> None:
    path = "/entries/mail.digest/backfill?from=2026-01-01T00:00&to=2026-01-02T00:00"
    words = flat(demo.text(path, "otto"))
    assert "1 moment " in words and "Thu 2026-01-01 14:00:00 CST" in words
    assert "the times are in Asia/Shanghai" in words
    assert "The entry is paused; these runs are published all the same." in words


REFUSED = [
    ("from=2026-01-01&to=2999-01-01", "To: 2999-01-01 is in the future"),
    ("from=2026-01-02&to=2026-01-01", "From: 2026-01-02 is after 2026-01-01"),
    ("from=2026-01-01", "To: give a moment"),
    ("from=soon&to=2026-01-01", "From: 'soon' is not a moment"),
    ("from=2026-01-01T00:01&to=2026-01-01T00:02", "has no moment from"),
]


@pytest.mark.parametrize(("span", "words"), REFUSED)
def test_a_wrong_span_is_refused_in_words(demo: Shown, span: str, words: str) -> None:
    answer = demo.get(f"{FORM}?{span}", "otto")
    assert answer.status == 400
    assert words in flat(answer.text)
    assert hidden_fields(answer.text) == []


def test_very_many_moments_are_counted_up_to_a_bound(demo: Shown) -> None:
    path = "/entries/billing.close-day/backfill?from=1970-01-01&to=2026-01-01"
    words = flat(demo.text(path, "otto"))
    assert "more than 10,000 moments" in words
    assert "and more than 9,980 more" in words
    assert "These are many runs." in words


# The request


def test_a_confirmed_form_requests_the_moments_once(demo: Shown) -> None:
    form = previewed(demo)
    for _ in range(2):
        answer = demo.post(FORM, "otto", form)
        assert (answer.status, answer.headers["Location"]) == (
            303,
            f"/entries/{NAME}?backfilled=25",
        )
    (request,) = requests(demo)
    assert (request.kind, request.name) == ("backfill", NAME)
    assert request.first.isoformat() == "2025-12-31T16:00:00+00:00"
    assert request.last - request.first == timedelta(hours=4)
    assert demo.woken == 2


def test_a_form_sent_again_after_its_runs_requests_nothing(demo: Shown) -> None:
    form = previewed(demo, "from=2026-01-01T00:00&to=2026-01-01T00:00")
    assert demo.post(FORM, "otto", form).status == 303
    publish(demo, "confirmed")
    assert requests(demo) == []
    assert demo.post(FORM, "otto", form).status == 303
    assert requests(demo) == []


def test_a_form_for_an_entry_that_was_changed_since_is_refused(demo: Shown) -> None:
    form = previewed(demo)
    patch(demo.store, NAME, patch_of({"every": "1m"}), lambda: demo.now, ANN)
    answer = demo.post(FORM, "otto", form)
    assert answer.status == 409
    assert "was changed after this preview" in answer.text and "241 moments" in flat(answer.text)
    assert requests(demo) == []
    assert demo.post(FORM, "otto", hidden_fields(answer.text)).status == 303


def test_a_span_that_overlaps_a_pending_one_is_refused(demo: Shown) -> None:
    assert demo.post(FORM, "otto", previewed(demo)).status == 303
    page = demo.text(f"{FORM}?{SPAN}", "otto")
    assert "A backfill of this entry is pending" in page
    answer = demo.post(FORM, "otto", hidden_fields(page))
    assert answer.status == 409 and "is pending already" in answer.text
    assert len(requests(demo)) == 1


@pytest.mark.parametrize("path", [FORM, f"{FORM}/call-off"])
def test_a_viewer_may_not(demo: Shown, path: str) -> None:
    form = previewed(demo)
    assert demo.get(FORM, "vera").status == 403
    assert demo.post(path, "vera", form).status == 403
    assert requests(demo) == []


def test_an_unknown_entry_is_not_found(demo: Shown) -> None:
    for answer in (
        demo.get("/entries/nope/backfill", "otto"),
        demo.post("/entries/nope/backfill", "otto", []),
        demo.post("/entries/nope/backfill/call-off", "otto", []),
    ):
        assert answer.status == 404


# Progress, and calling off


def test_the_entrys_page_shows_how_far_a_backfill_has_come(demo: Shown) -> None:
    assert demo.post(FORM, "otto", previewed(demo)).status == 303
    assert "0 of 25 runs are published" in flat(demo.text(f"/entries/{NAME}"))
    publish(demo, "confirmed", "confirmed", "rejected")
    words = flat(demo.text(f"/entries/{NAME}"))
    assert "2 of 25 runs are published, 1 could not be" in words
    assert "the next is that of 2026-01-01 00:30:00 CST" in words


def test_of_very_many_runs_a_lower_bound_is_shown(
    demo: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_progress, "RECORDS_READ", 2)
    assert demo.post(FORM, "otto", previewed(demo)).status == 303
    publish(demo, "confirmed", "confirmed", "confirmed")
    words = flat(demo.text(f"/entries/{NAME}"))
    assert "at least 2 of its runs are published, 22 are left" in words


def test_a_request_for_very_many_runs_says_that_more_are_left(demo: Shown) -> None:
    path = "/entries/billing.close-day"
    page = demo.text(f"{path}/backfill?from=1970-01-01&to=2026-01-01", "otto")
    assert demo.post(f"{path}/backfill", "otto", hidden_fields(page)).status == 303
    words = flat(demo.text(path))
    assert "0 of its runs are published, more than 10,000 are left" in words


def test_runs_of_other_kinds_are_not_counted(demo: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_progress, "RECORDS_READ", 20)
    monkeypatch.setattr(request_progress, "OTHERS_MIN", 10)
    assert demo.post(FORM, "otto", previewed(demo)).status == 303
    publish(demo, "confirmed")
    assert "1 of 25 runs are published" in flat(demo.text(f"/entries/{NAME}"))


def test_calling_off_drops_what_is_left(demo: Shown) -> None:
    assert demo.post(FORM, "otto", previewed(demo)).status == 303
    publish(demo, "confirmed")
    page = demo.text(f"/entries/{NAME}", "otto")
    assert f'action="{FORM}/call-off"' in page
    assert f'action="{FORM}/call-off"' not in demo.text(f"/entries/{NAME}", "vera")
    answer = demo.post(f"{FORM}/call-off", "otto", [])
    assert answer.status == 303
    assert requests(demo) == []
    words = flat(demo.text(answer.headers["Location"]))
    assert "24 of its runs will not happen" in words and "runs are published" not in words
    again = demo.post(f"{FORM}/call-off", "otto", [])
    assert again.headers["Location"] == f"/entries/{NAME}?called_off=0"


def test_a_name_with_slashes(shown: Shown) -> None:
    made = entry_from("a/backfill", {"task": "t", "every": "1h"}, timezone="Asia/Shanghai")
    shown.fill([made])
    path = "/entries/a%2Fbackfill/backfill"
    form = hidden_fields(shown.text(f"{path}?{SPAN}", "otto"))
    answer = shown.post(path, "otto", form)
    assert answer.headers["Location"] == "/entries/a%2Fbackfill?backfilled=5"
    assert [one.name for one in requests(shown)] == ["a/backfill"]
