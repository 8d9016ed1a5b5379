"""The page of an entry, and the form that runs it now."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from beatd.catalog import Query
from beatd.changes import Author
from beatd.definition import entry_from
from beatd.edits.editing import add, put, remove
from beatd.edits.pausing import pause
from beatd.outcome import Delivery
from tests.stores.making import leads
from tests.stores.run_by_hand import carry_out_request
from tests.web.pages.conftest import Shown
from tests.web.pages.reading import flat, hidden_fields

ANN = Author("ann@host-1", note="for the tests")
HOSTILE = 'a/b <i>"x"</i> ü?#%'


def page_of(shown: Shown, name: str, who: str = "vera", **query: str) -> str:
    more = "&".join(f"{key}={quote(value)}" for key, value in query.items())
    return shown.text(f"/entries/{quote(name, safe='')}" + (f"?{more}" if more else ""), who)


def test_it_says_what_when_why_and_who(demo: Shown) -> None:
    words = flat(page_of(demo, "feed.pull-reviews"))
    assert "feed.tasks.pull" in words and "every 10 minutes" in words
    assert "the task raised an error" in words
    assert "ConnectionError: reviews.example" in words
    assert "Next runs" in words and "Last runs" in words
    edited = flat(page_of(demo, "feed.pull-prices"))
    assert "ann@ops-1" in edited and "options.queue" in edited


def test_a_viewer_sees_no_buttons_and_an_operator_none_of_an_editor(demo: Shown) -> None:
    viewer = page_of(demo, "cache.warm")
    assert not any(word in viewer for word in ("Pause…", "Run now…", "Backfill…", "Edit…"))
    operator = page_of(demo, "cache.warm", "otto")
    assert "Run now" in operator and "Edit…" not in operator and "Remove…" not in operator
    assert "Edit…" in page_of(demo, "cache.warm", "edna")


def test_the_owner_is_told_in_words(demo: Shown) -> None:
    made = "Owner Made with the command line by ann@ops-1 cli"
    assert made in flat(page_of(demo, "cache.warm"))
    declared = flat(page_of(demo, "shop.amoy.orders"))
    assert "Declared in schedules/shops.yaml: edit or remove it there. yaml:config" in declared


def test_a_name_may_have_any_letters(shown: Shown) -> None:
    entry = entry_from(HOSTILE, {"task": "t", "every": "1h", "description": "<script>1</script>"})
    add(shown.store, entry, lambda: shown.now)
    text = page_of(shown, HOSTILE, "edna")
    assert "<i>" not in text and "<script>1" not in text
    assert "a/b &lt;i&gt;&#34;x&#34;&lt;/i&gt; ü?#%" in text
    path = f"/entries/{quote(HOSTILE, safe='')}"
    assert f'href="{path}/run"' in text and f'href="{path}/edit"' in text
    assert shown.get(f"{path}/run", "otto").status == 200


def test_a_pause_is_told_with_its_end_and_its_note(shown: Shown) -> None:
    add(shown.store, entry_from("a", {"task": "t", "every": "1h"}), lambda: shown.now)
    end = shown.now + timedelta(hours=3)
    pause(shown.store, ["a"], lambda: shown.now, Author("bob", note="a <deploy>"), until=end)
    words = flat(page_of(shown, "a"))
    assert "by bob" in words and "a <deploy>" in words
    assert "none of them runs while the entry is paused" in words


def test_the_clock_change_is_told_beside_the_next_runs(shown: Shown) -> None:
    plain = {"task": "t", "cron": "0 12 1 1,4,7,12 *", "tz": "Europe/Berlin"}
    add(shown.store, entry_from("monthly", plain), lambda: shown.now)
    words = flat(page_of(shown, "monthly"))
    assert "the clock goes forward by 1 h before it" in words
    assert "the clock goes back by 1 h before it" in words


def test_why_is_answered_for_another_moment_and_nonsense_is_refused(demo: Shown) -> None:
    assert "is not a moment" in flat(page_of(demo, "cache.warm", at="yesterday"))
    answer = flat(page_of(demo, "billing.close-day", at="2031-01-01T12:00"))
    assert "not planned" in answer


def test_a_removed_entry_leads_to_what_is_known_and_an_unknown_one_is_404(demo: Shown) -> None:
    gone = demo.get("/entries/herd.hourly-10")
    assert gone.status == 404 and "/changes?entry=herd.hourly-10" in gone.text
    unknown = demo.get("/entries/feed.pull-price")
    assert unknown.status == 404 and "did you mean" in unknown.text


def test_an_entry_that_cannot_be_read_was_not_removed(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(shown.store, entry_from("a", {"task": "t", "every": "1h"}), lambda: shown.now, ANN)
    monkeypatch.setattr(shown.store, "find", lambda query: iter(()))
    page = shown.get("/entries/a")
    assert page.status == 404 and "/changes?entry=a" in page.text
    words = flat(page.text)
    assert "a cannot be read" in words and "was removed" not in words
    assert "beatd doctor shows the reason" in words


def test_a_run_is_requested_once_however_often_the_form_is_sent(shown: Shown) -> None:
    plain = {"task": "t", "every": "1h", "args": [1]}
    add(shown.store, entry_from("a", plain), lambda: shown.now)
    form = hidden_fields(shown.text("/entries/a/run", "otto"))
    sent = [*form, ("args", "[7]"), ("kwargs", '{"day": "2027-01-31"}')]
    first = shown.post("/entries/a/run", "otto", sent)
    second = shown.post("/entries/a/run", "otto", sent)
    assert first.status == second.status == 303
    assert first.headers["location"] == second.headers["location"]
    ((request, _),) = shown.store.requests(10)
    assert shown.store.marks.arguments(request.id) == '{"args":[7],"kwargs":{"day":"2027-01-31"}}'
    assert "One run was requested" in flat(shown.text(first.headers["location"]))


def test_a_run_by_hand_is_listed_with_who_requested_it_and_waits_for_a_worker(
    shown: Shown,
) -> None:
    add(shown.store, entry_from("a", {"task": "t", "every": "1h"}), lambda: shown.now)
    at = shown.now - timedelta(hours=1)
    old = Delivery(task_id="o", delivery="d", name="a", planned=at, state="succeeded", at=at)
    shown.store.write_outcomes([old], at)
    shown.post("/entries/a/run", "otto", [("args", "[7]"), ("kwargs", "{}")])
    carry_out_request(shown.store, shown.now - timedelta(seconds=5))
    page = flat(page_of(shown, "a"))
    assert "by otto" in page and "args [7]" in page
    # No daemon leads.
    assert "not known yet: no daemon leads, so nobody reads the reports" in page
    assert "not known yet" in flat(shown.text("/entries"))
    assert "not known yet" in shown.text("/badge/a.svg")
    leads(shown.store)
    page = flat(page_of(shown, "a"))
    assert "not received by a worker" in page and "Before" in page
    (request,) = [one for one in shown.store.history("a", 1)]
    why = flat(shown.text(f"/entries/a?at={request.planned:%Y-%m-%dT%H:%M:%S}Z"))
    assert "to the queue celery" in why
    assert "sent, not received" in flat(shown.text("/entries"))
    assert "not received" in shown.text("/badge/a.svg")


def test_the_entrys_own_arguments_make_a_plain_request(shown: Shown) -> None:
    add(shown.store, entry_from("a", {"task": "t", "every": "1h"}), lambda: shown.now)
    form = hidden_fields(shown.text("/entries/a/run", "otto"))
    shown.post("/entries/a/run", "otto", [*form, ("args", "[]"), ("kwargs", "{}")])
    ((request, _),) = shown.store.requests(10)
    assert shown.store.marks.arguments(request.id) is None


def test_wrong_arguments_are_refused_with_what_was_typed(shown: Shown) -> None:
    add(shown.store, entry_from("a", {"task": "t", "every": "1h"}), lambda: shown.now)
    for args, kwargs, why in (
        ("[7", "{}", "args: this is not JSON"),
        ("{}", "{}", "args: "),
        ("[]", "[]", "kwargs: "),
    ):
        answer = shown.post("/entries/a/run", "otto", [("args", args), ("kwargs", kwargs)])
        assert answer.status == 400 and why in flat(answer.text)
    assert list(shown.store.requests(10)) == []


def test_a_run_now_needs_an_operator_and_an_entry(shown: Shown) -> None:
    add(shown.store, entry_from("a", {"task": "t", "every": "1h"}), lambda: shown.now)
    assert shown.get("/entries/a/run", "vera").status == 403
    assert shown.post("/entries/a/run", "vera", [("args", "[]")]).status == 403
    assert shown.post("/entries/b/run", "otto", [("args", "[]")]).status == 404


def plain_entry(**more: object) -> dict[str, object]:
    return {"task": "proj.tidy", "every": "1h", "options": {"queue": "slow"}, **more}


def fields(shown: Shown, name: str, **changed: str) -> list[tuple[str, str]]:
    """Return the form of an entry as a browser would send it, with some fields changed."""
    form = dict(hidden_fields(shown.text(f"/entries/{name}/edit", "edna")))
    typed = {
        "task": "proj.tidy", "kind": "every", "schedule": "1h", "tz": "UTC", "args": "[]",
        "kwargs": "{}", "queue": "slow", "enabled": "on", "description": "", "more": "{}",
    }  # fmt: skip
    return list((form | typed | changed).items())


def stored(shown: Shown, name: str) -> object:
    (row,) = shown.store.find(Query(names=(name,)))
    return row


def test_an_edit_shows_its_difference_and_is_saved_with_its_author(shown: Shown) -> None:
    add(shown.store, entry_from("a", plain_entry()), lambda: shown.now)
    form = fields(shown, "a", kind="cron", schedule="30 2 * * *", queue="fast", note="quicker")
    checked = flat(shown.post("/entries/a/edit", "edna", [*form, ("step", "check")]).text)
    assert "at 02:30" in checked and "What changes" in checked and "options.queue" in checked
    saved = shown.post("/entries/a/edit", "edna", [*form, ("step", "save")])
    assert saved.status == 303 and "saved=1" in saved.headers["location"]
    (row,) = shown.store.find(Query(names=("a",)))
    assert row.entry.options == {"queue": "fast"}
    assert row.entry.schedule.plain() == {"cron": "30 2 * * *"}
    (change,) = shown.store.changes("a", 1)
    assert change.author == Author("edna (token)", "page", "quicker")


CHAIN = '{"chain": ["proj.extract", {"task": "proj.load", "args": [7]}]}'


def test_a_task_is_replaced_by_a_chain_whose_steps_are_listed(shown: Shown) -> None:
    add(shown.store, entry_from("a", plain_entry()), lambda: shown.now)
    form = fields(shown, "a", task="", canvas=CHAIN)
    saved = shown.post("/entries/a/edit", "edna", [*form, ("step", "save")])
    assert saved.status == 303, flat(saved.text)
    words = flat(page_of(shown, "a"))
    assert "chain(proj.extract, proj.load)" in words and "2 steps" in words
    assert "2. proj.load [7] chain[1]" in words
    assert "chain(proj.extract, proj.load)" in flat(shown.text("/entries", "vera"))
    asked = flat(shown.text("/entries/a/run", "otto"))
    assert "chain(proj.extract, proj.load)" in asked and "kwargs" not in asked


def test_a_mistake_in_a_step_stands_at_the_steps(shown: Shown) -> None:
    add(shown.store, entry_from("a", plain_entry()), lambda: shown.now)
    wrong = '{"chain": ["proj.extract", {"task": "proj.load", "args": 7}]}'
    for text, told in (
        (wrong, "chain[1].args: 7 is not a list; write it like [2, 2]"),
        ('["proj.load"]', "has not the key chain, group or chord; write it like"),
        ("{", "is not JSON"),
    ):
        form = fields(shown, "a", task="", canvas=text)
        checked = shown.post("/entries/a/edit", "edna", [*form, ("step", "check")]).text
        assert 'id="wrong-canvas"' in checked and told in flat(checked)
        assert 'id="wrong-task"' not in checked


def test_mistakes_stand_at_their_fields_and_nothing_is_saved(shown: Shown) -> None:
    add(shown.store, entry_from("a", plain_entry()), lambda: shown.now)
    before = stored(shown, "a")
    form = fields(shown, "a", kind="cron", schedule="30 2", args="[1", more='{"typo": 1}')
    answer = shown.post("/entries/a/edit", "edna", [*form, ("step", "save")])
    assert answer.status == 400
    for field in ("cron", "args"):
        assert f'id="wrong-{field}"' in answer.text and f'aria-describedby="wrong-{field}"' in (
            answer.text
        )
    words = flat(answer.text)
    assert "is not a cron text" in words and "is not a key of an entry" in words
    assert "Not saved: the form has mistakes" in words
    assert stored(shown, "a") == before


def test_the_second_of_two_editors_sees_both_and_takes_over_both(shown: Shown) -> None:
    add(shown.store, entry_from("a", plain_entry()), lambda: shown.now)
    mine = fields(shown, "a", description="nightly <b>tidy</b>")
    put(shown.store, entry_from("a", plain_entry(tz="Europe/Berlin")), lambda: shown.now, ANN)
    answer = shown.post("/entries/a/edit", "edna", [*mine, ("step", "save")])
    words = flat(answer.text)
    assert answer.status == 409
    assert "ann@host-1 edited it" in words and "for the tests" in words
    assert "Europe/Berlin" in words and "Nothing was saved" in words
    merged = shown.post("/entries/a/edit", "edna", [*mine, ("step", "merge")])
    assert merged.status == 200 and 'value="save"' in merged.text
    both = dict(mine) | dict(hidden_fields(merged.text)) | {"tz": "Europe/Berlin", "step": "save"}
    assert shown.post("/entries/a/edit", "edna", list(both.items())).status == 303
    (row,) = shown.store.find(Query(names=("a",)))
    assert (row.entry.tz, row.entry.description) == ("Europe/Berlin", "nightly <b>tidy</b>")


def test_what_both_changed_is_named(shown: Shown) -> None:
    add(shown.store, entry_from("a", plain_entry()), lambda: shown.now)
    mine = fields(shown, "a", tz="Asia/Tokyo")
    put(shown.store, entry_from("a", plain_entry(tz="Europe/Berlin")), lambda: shown.now, ANN)
    words = flat(shown.post("/entries/a/edit", "edna", [*mine, ("step", "save")]).text)
    assert "You both changed tz" in words


def test_an_entry_that_was_removed_meanwhile_is_404(shown: Shown) -> None:
    add(shown.store, entry_from("a", plain_entry()), lambda: shown.now)
    form = fields(shown, "a")
    remove(shown.store, ["a"])
    assert shown.post("/entries/a/edit", "edna", [*form, ("step", "save")]).status == 404


def test_an_entry_of_a_file_is_read_only_and_names_its_file(shown: Shown) -> None:
    entry = entry_from(
        "a", plain_entry(), source="yaml:config", declared_at="schedules/nightly.yaml"
    )
    add(shown.store, entry, lambda: shown.now)
    text = page_of(shown, "a", "edna")
    assert "Edit…" not in text and 'value="remove"' not in text
    text = shown.text("/entries/a/edit", "edna")
    assert "schedules/nightly.yaml" in text and "<textarea" not in text and "<input" not in text
    before = stored(shown, "a")
    form = [("task", "other"), ("kind", "every"), ("schedule", "5m"), ("step", "save")]
    answer = shown.post("/entries/a/edit", "edna", form)
    assert answer.status == 409 and stored(shown, "a") == before


def test_the_script_gets_the_preview_alone(shown: Shown) -> None:
    add(shown.store, entry_from("a", plain_entry()), lambda: shown.now)
    form = fields(shown, "a", schedule="2h")
    answer = shown.post("/entries/a/edit", "edna", [*form, ("step", "preview")])
    assert answer.status == 200
    assert f'data-now="{shown.now.timestamp():.3f}"' in shown.text("/entries/a/edit", "edna")
    assert "every 2 hours" in answer.text and "<html" not in answer.text


def test_a_new_entry_is_added_once_and_a_taken_name_is_refused(shown: Shown) -> None:
    assert shown.get("/new", "otto").status == 403
    form = [
        ("name", "fresh"), ("task", "t"), ("kind", "every"), ("schedule", "5m"), ("tz", ""),
        ("args", "[]"), ("kwargs", "{}"), ("queue", ""), ("enabled", "on"), ("more", "{}"),
    ]  # fmt: skip
    checked = shown.post("/new", "edna", [*form, ("step", "check")])
    assert checked.status == 200 and "Add the entry" in checked.text
    assert list(shown.store.find(Query())) == []
    assert shown.post("/new", "edna", [*form, ("step", "save")]).status == 303
    (row,) = shown.store.find(Query())
    assert (row.entry.source, row.entry.tz) == ("page", "Asia/Shanghai")
    again = shown.post("/new", "edna", [*form, ("step", "save")])
    assert again.status == 400 and "is there already" in again.text


def test_a_pause_is_no_failure(demo: Shown) -> None:
    why = demo.text("/entries/mail.digest").split('<h2 id="why">')[1]
    assert '<span class="badge pause">' in why.partition("</p>")[0]


def test_an_entry_that_never_ran_has_no_chart(shown: Shown) -> None:
    shown.fill([entry_from("new", {"task": "proj.tidy", "cron": "0 0 1 1 *"})])
    page = shown.text("/entries/new")
    assert "Nothing ran yet." in page
    assert "<figcaption>" not in page
