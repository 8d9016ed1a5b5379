"""Whether workers report what becomes of runs, as the store knows it."""

from contextlib import closing
from pathlib import Path

import pytest

from beatd.clock import SystemClock
from beatd.config import Config
from beatd.config import Store as StoreSettings
from beatd.config.values import Outcomes
from beatd.definition import codec
from beatd.doctor.finding import Finding
from beatd.doctor.reports import findings_of_reports, report_findings
from beatd.presence import Presence
from beatd.store import Store
from beatd.stores.embedded.memory import MemoryStore
from beatd.wiring.backends import open_store
from tests.stores.making import at, claimed, lead, put, row, told
from tests.stores.running_runs import delivery


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(codec=codec, clock=SystemClock())


def of_reports(store: Store, seconds: float) -> list[Finding]:
    return list(report_findings(store, store, at(seconds)))


def test_runs_that_were_sent_and_have_no_outcome_are_a_warning(store: MemoryStore) -> None:
    term = lead(store)
    put(store)
    assert of_reports(store, 60) == []  # nothing was sent
    first = claimed(store, row(store), term)
    store.record([told(first, when=2)])
    assert of_reports(store, 31) == []  # the worker may be about to report
    (warning,) = of_reports(store, 32)
    assert (warning.level, warning.subject) == ("warning", "workers")
    assert warning.text == (
        "workers run, but the run that was sent has no outcome; add `from beatd import worker; "
        "worker.report(app)` to the Celery app, or start workers with `--include "
        "beatd.worker.auto` (docs/outcomes.md)"
    )
    second = claimed(store, row(store), term, 11)
    store.record([told(second, when=12)])
    (warning,) = of_reports(store, 60)
    assert ", but none of the last 2 runs that were sent has an outcome; add " in warning.text
    store.write_outcomes([delivery(first)], at(4))
    assert of_reports(store, 60) == [Finding("ok", "workers", "the newest runs have outcomes")]


def test_outcomes_that_no_worker_has_to_report_are_not_missed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/beatd.db"
    with closing(open_store(url, codec=codec, clock=SystemClock())) as store:
        term = lead(store)
        store.record([told(claimed(store, put(store), term))])
        newest = store.term()
        assert newest is not None
        found = findings_of_reports(
            Config(store=StoreSettings(url=url)), clock=SystemClock(), timeout_s=2.0
        )
        assert list(found) == []  # no daemon leads, so nobody reads the reports
        store.announce(Presence(newest[1], "leader", True, at(0)), 3600.0)
    levels: dict[str, list[str]] = {}
    for way in ("reports", "results", "off"):
        config = Config(store=StoreSettings(url=url), outcomes=Outcomes(read_from=way))
        found = findings_of_reports(config, clock=SystemClock(), timeout_s=2.0)
        levels[way] = [one.level for one in found]
    assert levels == {"reports": ["warning"], "results": [], "off": []}
