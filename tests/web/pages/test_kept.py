"""Results that are kept for some seconds, and the truth that pages show all the same."""

import re
from datetime import timedelta

import pytest

from beatd.catalog import Change, Query
from beatd.definition import entry_from
from beatd.edits.entry_change import added
from beatd.edits.pausing import pause
from beatd.web import kept as module
from beatd.web.kept import Kept
from tests.web.demo_store import ANN
from tests.web.pages.conftest import Shown
from tests.web.pages.reading import entries_on, flat

DAY = timedelta(days=1)


def add(shown: Shown, name: str, **fields: object) -> None:
    """Add an entry as another daemon or a command does, past this server."""
    made = entry_from(name, {"task": "t", **fields})
    assert shown.store.write([added(made, shown.now, None)]) == [True]


def remove(shown: Shown, name: str) -> None:
    (row,) = shown.store.find(Query(names=(name,)))
    assert shown.store.write([Change(name, row.revision, None)]) == [True]


def runs_on(shown: Shown, path: str) -> str:
    found = re.search(r"[\d,]+\+? (planned )?runs?", flat(shown.text(path)))
    assert found is not None
    return found[0]


@pytest.mark.parametrize("path", ["/", "/ahead"])
def test_an_entry_that_another_process_adds_is_counted_at_once(shown: Shown, path: str) -> None:
    add(shown, "first", every="10m")
    before = runs_on(shown, path)
    assert runs_on(shown, path) == before
    add(shown, "second", every="10m")
    assert runs_on(shown, path) != before


def test_the_calendar_has_an_entry_that_another_process_adds_at_once(shown: Shown) -> None:
    add(shown, "first", cron="0 9 * * *")
    assert "SUMMARY:second" not in shown.text("/entries.ics")
    add(shown, "second", cron="0 9 * * *")
    assert "SUMMARY:second" in shown.text("/entries.ics")


def test_the_api_counts_the_runs_of_a_paused_entry_no_more(shown: Shown) -> None:
    add(shown, "first", every="10m")
    path = "/api/v1/ahead?hours=1"
    assert '"runs":1' in shown.text(path)
    pause(shown.store, ["first"], lambda: shown.now, ANN)
    assert '"buckets":[]' in shown.text(path)


def test_a_removed_entry_fails_no_more(shown: Shown) -> None:
    shown.fill()
    assert "feed.pull-reviews" in entries_on(shown.text("/"))
    remove(shown, "feed.pull-reviews")
    assert "feed.pull-reviews" not in entries_on(shown.text("/"))


def test_the_number_of_entries_is_that_of_now(shown: Shown) -> None:
    shown.fill()
    before = flat(shown.text("/entries?q=herd"))
    assert "Entries 11" in before
    remove(shown, "herd.hourly-11")
    assert "Entries 10" in flat(shown.text("/entries?q=herd"))


def test_a_result_is_made_anew_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    kept, made = Kept(lambda: now), list[int]()

    def make() -> int:
        made.append(1)
        return len(made)

    assert [kept.get("a", make, 5), kept.get("a", make, 5), kept.get("b", make, 5)] == [1, 1, 2]
    now = 105.0
    assert kept.get("a", make, 5) == 3
    kept.clear()
    assert kept.get("a", make, 5) == 4
    monkeypatch.setattr(module, "RESULTS_MAX", 2)
    for key in range(10):
        kept.get(key, make, 5)
    assert kept.get("a", make, 5) == 15
