"""The overview, the history, incidents, daemons and changes."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from beatd.definition import entry_from
from beatd.edits.editing import add
from beatd.edits.ownership import author_for
from beatd.edits.pausing import pause
from beatd.errors import StoreError
from beatd.history import Record
from beatd.outcome import Delivery
from beatd.store import Roles
from beatd.web.pages import run_history
from beatd.web.pages.moments import Moments
from beatd.web.pages.run_strip import run_strip
from tests.stores.making import leads
from tests.stores.run_by_hand import carry_out_request
from tests.web.demo_store import ANN, lead
from tests.web.pages.conftest import Shown
from tests.web.pages.reading import entries_on, flat, link


def test_the_overview_counts_what_is_wrong_and_links_to_each_list(demo: Shown) -> None:
    page = demo.text("/")
    assert link(page, "2 open incidents") == "/incidents"
    assert link(page, "entries fail") == "/entries?state=failing"
    assert "beat-1 leads under term 1" in flat(page)
    assert "with 1 standing by" in flat(page)


def test_the_number_of_failing_entries_is_that_of_the_list(demo: Shown) -> None:
    words = flat(demo.text("/"))
    failing = entries_on(demo.text("/entries?state=failing"))
    assert f"{len(failing)} entries fail" in words
    assert {"backup.database", "billing.collect", "herd.hourly-11"} <= set(failing)


def test_the_overview_names_the_entries_whose_last_run_no_worker_received(shown: Shown) -> None:
    for name in ("a", "b"):
        add(shown.store, entry_from(name, {"task": "t", "every": "1h"}), lambda: shown.now)
        at = shown.now - timedelta(hours=1)
        old = Delivery(task_id="o", delivery="d", name=name, planned=at, state="succeeded", at=at)
        shown.store.write_outcomes([old], at)
    assert "received" not in shown.text("/")
    shown.post("/entries/a/run", "otto", [("args", "[]"), ("kwargs", "{}")])
    carry_out_request(shown.store, shown.now - timedelta(seconds=5))
    assert "received" not in shown.text("/")  # no daemon leads and reads the reports
    leads(shown.store)
    page = shown.text("/")
    assert link(page, "1 entry has a run not received") == "#not-received"
    assert "Runs that no worker received" in page and entries_on(page)[0] == "a"


def test_nobody_leads_is_the_first_thing_that_is_wrong(shown: Shown) -> None:
    shown.health = replace(shown.health, waits_for="nobody is known to lead yet")
    words = flat(shown.text("/"))
    assert "nobody leads" in words
    assert "Nobody leads. nobody is known to lead yet" in words


def test_the_history_leads_to_older_runs_and_back(demo: Shown) -> None:
    first = demo.text("/history")
    older = demo.text(link(first, "Older"))
    assert len(entries_on(first)) == len(entries_on(older)) == 50
    assert older != first
    assert entries_on(demo.text(link(older, "First page"))) == entries_on(first)


def test_the_time_in_a_reason_is_in_the_zone_of_the_page() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    skip = Record("a", noon, "skipped", "still running: other since 2026-03-01T11:59:00+00:00")
    strip = run_strip([skip], {}, Moments("Asia/Shanghai", noon), 1)
    assert "still running: other since 2026-03-01 19:59:00 CST" in strip


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("entry=billing.collect&outcome=failed", {"billing.collect"}),
        ("state=failed", {"herd.hourly-11"}),
        ("entry=nothing", set()),
    ],
)
def test_the_history_is_filtered(demo: Shown, query: str, expected: set[str]) -> None:
    assert set(entries_on(demo.text(f"/history?{query}"))) == expected


def test_a_bounded_search_says_how_far_it_looked_and_goes_on(
    demo: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_history, "RECORDS_PER_READ", 10)
    monkeypatch.setattr(run_history, "READS_MAX", 2)
    page = demo.text("/history?state=failed")
    assert "Looked through 20 records, back to" in flat(page)
    on = demo.text(link(page, "Search further back"))
    assert "Looked through 20 records, back to" in flat(on)


def test_a_wrong_since_is_explained(demo: Shown) -> None:
    page = demo.text("/history?since=yesterday")
    assert "&#39;yesterday&#39; is not a moment" in page
    assert entries_on(page)


def test_a_search_since_a_moment_ends_there(demo: Shown) -> None:
    since = demo.now - timedelta(minutes=30)
    page = demo.text(f"/history?since={since:%Y-%m-%dT%H:%M:%S}Z")
    every = list(demo.store.history(None, None))
    recent = [one for one in every if one.planned >= since]
    assert 0 < len(entries_on(page)) <= len(recent)
    search = run_history.RunSearch(since=since)
    found = run_history.find_runs(Roles.of(demo.store), search, "", Moments("UTC", demo.now))
    assert found.read < len(every)


def test_open_and_closed_incidents_are_apart(demo: Shown) -> None:
    opened, closed = demo.text("/incidents").split('<h2 id="closed">')
    assert entries_on(opened) == ["billing.collect", "feed.pull-reviews"]
    assert "broker away" in closed and "7 min" in flat(closed)
    assert entries_on(demo.text("/incidents?entry=cache.purge")) == ["cache.purge"]


def test_undo_is_not_offered_where_it_is_refused(shown: Shown) -> None:
    made = entry_from("tidy", {"task": "t", "every": "1h"}, source="yaml:config")
    add(shown.store, made, lambda: shown.now, author_for("yaml:config"))
    assert "Undo…" not in shown.text("/changes", "edna")
    pause(shown.store, ["tidy"], lambda: shown.now, ANN)
    assert shown.text("/changes", "edna").count("Undo…") == 1


def test_each_daemon_shows_what_it_sees(demo: Shown) -> None:
    words = flat(demo.text("/daemons"))
    assert "beat-1 leads under term 1" in words
    assert "standby beat-2" in words
    assert "11 ms the leader's 3 d 4 h ago" in words and "same as the leader's" in words
    assert "schedules/new.yaml:3: entries.x: no schedule" in words


def test_the_page_of_daemons_shows_versions_and_what_needs_a_reload(shown: Shown) -> None:
    lead(shown.store, shown.now)
    leader, standby = sorted(shown.store.daemons(), key=lambda one: one.role)
    shown.store.announce(replace(leader, version="1.3.0", needs_reload=("log",)), 60)
    shown.store.announce(replace(standby, version="1.3.0"), 60)
    words = flat(shown.text("/daemons"))
    assert words.count("1.3.0") == 2 and "different versions" not in words
    assert "log changed in its configuration file after it started" in words
    shown.store.announce(standby, 60)  # of an older beatd, which does not say its version
    words = flat(shown.text("/daemons"))
    assert "The daemons run different versions." in words and "older" in words


def test_a_daemon_that_led_under_an_older_term_does_not_lead(shown: Shown) -> None:
    lead(shown.store, shown.now)
    presence = next(one for one in shown.store.daemons() if one.role == "leader")
    shown.store.begin(replace(presence.holder, name="other", token="newer"))
    words = flat(shown.text("/daemons"))
    assert "Nobody leads. The last leader was other" in words
    assert "no longer leads last seen" in words and words.count("standby beat-") == 1
    assert "nobody leads" in flat(shown.text("/"))


def test_a_change_shows_who_why_and_each_field_before_and_after(demo: Shown) -> None:
    page = demo.text("/changes?entry=cache.warm")
    assert "<del>5m</del>" in page and "<ins>10m</ins>" in page
    assert "bob (token)" in page
    assert "was a double of 09" in demo.text("/changes")


def test_the_form_of_an_undo_shows_what_undoing_changes(demo: Shown) -> None:
    edited = next(one for one in demo.store.changes("cache.warm", 10) if one.action == "edited")
    page = demo.text(f"/changes/{edited.id}/undo", "edna")
    assert "<del>10m</del>" in page and "<ins>5m</ins>" in page


def test_an_addition_does_not_say_that_its_definition_was_too_large(demo: Shown) -> None:
    added = demo.store.changes("cache.warm", 10)[-1]
    assert added.action == "added"
    assert "too large" not in demo.text("/changes")
    assert "what was removed" in demo.text("/changes")
    assert "too large" not in demo.text(f"/changes/{added.id}/undo", "edna")


def test_a_page_gives_no_advice_about_commands(demo: Shown) -> None:
    declared = demo.store.changes("shop.amoy.stock", 10)[-1]
    refused = demo.post(f"/changes/{declared.id}/undo", "edna", [])
    unknown = demo.get("/entries/zzzzzzzzzzzz")
    assert (refused.status, unknown.status) == (409, 404)
    assert "change it there, or pause it" in refused.text and "--force" not in refused.text
    assert "no entry &#39;zzzzzzzzzzzz&#39;" in unknown.text and "`beatd" not in unknown.text


def test_changes_lead_to_older_ones(demo: Shown) -> None:
    first = demo.text("/changes")
    older = entries_on(demo.text(link(first, "Older")))
    changes = demo.store.changes(None, 1000)
    assert entries_on(first) + older == [one.name for one in changes]


def test_an_editor_undoes_a_change_after_a_question(demo: Shown) -> None:
    change = demo.store.changes("cache.warm", 1)[0]
    path = f"/changes/{change.id}/undo"
    assert "Undo…" not in demo.text("/changes", "otto")
    assert "Undo…" in demo.text("/changes", "edna")
    assert demo.get(path, "otto").status == 403
    assert "Undoing changes it back" in demo.text(path, "edna")
    done = demo.post(path, "edna", [("note", "too slow")])
    assert done.status == 303
    assert f"Change {change.id} was undone" in demo.text(done.headers["Location"])
    newest = demo.store.changes("cache.warm", 1)[0]
    note = f"undo of {change.id}: too slow"
    assert (newest.author.name, newest.author.note) == ("edna (token)", note)
    words = flat(demo.text("/changes"))
    assert note in words and f" {newest.id} " in words and f" {change.id} " in words


def test_an_undo_that_is_not_possible_says_why(demo: Shown) -> None:
    change = demo.store.changes("cache.warm", 10)[-1]
    answer = demo.post(f"/changes/{change.id}/undo", "edna", [])
    assert answer.status == 409
    assert "Not undone:" in answer.text
    asked = demo.get(f"/changes/{change.id}/undo", "edna")
    assert asked.status == 200  # a person only looked
    for page in (answer.text, asked.text):
        assert "cache.warm&#39; was changed again since, by" in page
        assert "Undo the change</button>" not in page


def test_the_form_of_an_undo_refuses_what_a_file_declares(demo: Shown) -> None:
    declared = demo.store.changes("shop.amoy.stock", 10)[-1]
    path = f"/changes/{declared.id}/undo"
    asked, tried = demo.text(path, "edna"), demo.post(path, "edna", []).text
    assert "change it there, or pause it" in asked and "Undo the change</button>" not in asked
    assert flat(asked) == flat(tried)
    assert demo.get("/changes/12345/undo", "edna").status == 404


@pytest.mark.parametrize("path", ["/", "/history", "/incidents", "/daemons", "/changes"])
def test_an_empty_store_has_all_pages(shown: Shown, path: str) -> None:
    assert "Traceback" not in shown.text(path)


def test_times_are_in_the_zone_of_the_configuration(demo: Shown) -> None:
    page = demo.text("/changes")
    assert " CST</time>" in page
    assert "Times are in Asia/Shanghai" in flat(page)


def test_the_number_of_overdue_runs_leads_to_their_entries(shown: Shown) -> None:
    shown.now -= timedelta(minutes=10)
    late = entry_from("late", {"task": "proj.tidy", "every": "1m"})
    shown.fill([late, entry_from("later", {"task": "proj.tidy", "cron": "0 0 1 1 *"})])
    overdue = link(shown.text("/"), "1 run is overdue")
    assert entries_on(shown.text(overdue)) == ["late"]


def test_a_page_without_its_store_tries_again_by_itself(shown: Shown) -> None:
    def fail(*_: object) -> None:
        raise StoreError("the store is away: <refused>")

    shown.health = replace(shown.health, store_ok=False, waits_for="waiting for the store")
    shown.store.version = fail
    answer = shown.get("/entries")
    assert answer.status == 503
    assert "data-retry" in answer.text
    assert "the store is away: &lt;refused&gt;" in answer.text


def test_commands_and_keys_are_code_and_not_in_backticks(shown: Shown) -> None:
    overview = shown.text("/")
    assert "<code>beatd add</code>" in overview
    lead(shown.store, shown.now)
    trouble = "invalid source: a.yaml: has no `entries:`; put <them> under `entries:`"
    one = shown.store.daemons()[0]
    shown.store.announce(replace(one, problems=(trouble,)), 60)
    daemons = shown.text("/daemons")
    assert "has no <code>entries:</code>; put &lt;them&gt; under <code>entries:</code>" in daemons
    assert "not applied: a.yaml: " in daemons and "invalid source" not in daemons
    assert "`" not in overview + daemons
