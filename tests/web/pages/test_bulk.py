"""Actions on several entries: the preview, its confirmation, and who may do what."""

from beatd.catalog import Query, Stored
from beatd.changes import Author
from beatd.edits.pausing import resume
from tests.web.pages.conftest import Shown
from tests.web.pages.reading import flat, hidden_fields

PATH = "/entries/bulk"
Form = list[tuple[str, str]]


def ticked(action: str, *names: str) -> Form:
    return [("action", action), *(("name", name) for name in names)]


def row(shown: Shown, name: str) -> Stored | None:
    return next(iter(shown.store.find(Query(names=(name,)))), None)


def confirmed(shown: Shown, who: str, form: Form, *more: tuple[str, str]) -> str:
    """Send the preview of a form, then its confirmation; return the results."""
    preview = shown.post(PATH, who, form)
    assert preview.status == 200, preview.text
    answer = shown.post(PATH, who, [*hidden_fields(preview.text), ("step", "confirm"), *more])
    assert answer.status == 200, answer.text
    return answer.text


def test_a_preview_changes_nothing(demo: Shown) -> None:
    preview = demo.post(PATH, "otto", ticked("pause", "cache.warm", "mail.digest", "nothing"))
    words = flat(preview.text)
    assert "Pause 2 entries?" in words
    assert "gets the new end and note" in words
    assert "there is no such entry" in words
    found = row(demo, "cache.warm")
    assert found is not None and not found.paused
    assert demo.woken == 0


def test_a_confirmed_pause_has_its_end_its_note_and_its_author(demo: Shown) -> None:
    form = ticked("pause", "cache.warm")
    words = flat(confirmed(demo, "otto", form, ("until", "2h"), ("note", "deploy <1>")))
    assert "Pause: 1 done" in words
    found = row(demo, "cache.warm")
    assert found is not None and found.pause is not None
    assert found.pause.until is not None
    assert (found.pause.by, found.pause.note) == ("otto (token)", "deploy <1>")
    assert demo.woken == 1
    assert "deploy &lt;1&gt;" in demo.text("/changes")


def test_an_end_that_is_past_is_refused_in_the_preview(demo: Shown) -> None:
    preview = demo.post(PATH, "otto", ticked("pause", "cache.warm"))
    form = [*hidden_fields(preview.text), ("step", "confirm"), ("until", "2001-01-01")]
    answer = demo.post(PATH, "otto", form)
    assert answer.status == 400
    assert "is past" in answer.text
    found = row(demo, "cache.warm")
    assert found is not None and not found.paused


def test_an_entry_that_changed_after_the_preview_is_left_alone(demo: Shown) -> None:
    preview = demo.post(PATH, "otto", ticked("pause", "cache.warm", "mail.digest"))
    resume(demo.store, ["mail.digest"], lambda: demo.now, Author("ann"))
    form = [*hidden_fields(preview.text), ("step", "confirm"), ("note", "deploy")]
    words = flat(demo.post(PATH, "otto", form).text)
    assert "1 done, 1 not" in words
    assert "was changed by somebody else" in words
    found = row(demo, "mail.digest")
    assert found is not None and not found.paused


def test_a_form_that_is_sent_twice_acts_once(demo: Shown) -> None:
    preview = demo.post(PATH, "otto", ticked("trigger", "cache.warm"))
    form = [*hidden_fields(preview.text), ("step", "confirm")]
    first, again = (demo.post(PATH, "otto", form).text for _ in range(2))
    assert "one run was requested" in first
    assert "was sent before" in again
    assert len(demo.store.requests(10)) == 1


def test_declared_entries_are_not_removed(demo: Shown) -> None:
    words = flat(confirmed(demo, "edna", ticked("remove", "cache.purge", "shop.amoy.orders")))
    assert "Remove: 1 done" in words
    assert row(demo, "cache.purge") is None
    assert row(demo, "shop.amoy.orders") is not None


def test_resuming_an_entry_that_runs_is_refused(demo: Shown) -> None:
    words = flat(demo.post(PATH, "otto", ticked("resume", "cache.warm", "mail.digest")).text)
    assert "Resume 1 entry?" in words
    assert "is not paused" in words


def test_roles_are_checked(demo: Shown) -> None:
    assert demo.post(PATH, "vera", ticked("pause", "cache.warm")).status == 403
    assert demo.post(PATH, "otto", ticked("remove", "cache.warm")).status == 403
    assert demo.post(PATH, "otto", ticked("explode", "cache.warm")).status == 400


def test_a_preview_of_nothing_says_so(demo: Shown) -> None:
    assert "No entry is ticked" in demo.post(PATH, "otto", ticked("pause")).text


def test_without_a_ticked_entry_there_is_nothing_to_do(demo: Shown) -> None:
    page = demo.post("/entries/bulk", "otto", [("action", "pause")])
    assert "Pause: nothing to do" in page.text
    assert "No entry is ticked." in page.text
    assert "This is what will happen" not in page.text
