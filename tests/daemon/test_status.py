"""What a daemon says of itself."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from beatd import Beat
from beatd.daemon.status import health_of, status_of
from beatd.events import Broke, Event, LeadLost, LeadWon, Sent, Skipped, WentBack
from beatd.observers.last_state import LastState
from beatd.observers.metrics import Metrics
from beatd.publisher import Outcome
from beatd.run import Skip
from tests.observers.test_log import ended
from tests.process import PATIENCE
from tests.waiting import until
from tests.web.in_process import Probes


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_it_is_not_alive_without_its_campaign(config: Callable[..., Path]) -> None:
    def ends(event: Event) -> None:
        if isinstance(event, Broke):
            raise RuntimeError("the thread ends with this")

    with Beat(config(), observers=(ends,)) as beat:
        daemon = beat.daemon
        pages = Probes(lambda: health_of(daemon), Metrics(), dict)
        until(daemon.ready, PATIENCE, "it is ready")
        assert pages.answer("/live")[0] == 200
        assert daemon.election is not None
        daemon.election.campaign = None  # type: ignore[assignment,method-assign]
        until(lambda: not daemon.alive(), PATIENCE, "the dead thread is noticed")
        code, _, said = pages.answer("/live")
        assert (code, said) == (503, b"the thread of the campaign has ended\n")
        assert pages.answer("/ready")[0] == 503 and not daemon.leading()


def test_a_campaign_that_broke_gives_the_lead_up_and_goes_on(
    config: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Event] = []

    def last(kind: type[Event]) -> str:
        return next((str(event) for event in reversed(heard) if isinstance(event, kind)), "")

    with Beat(config(lock="{ttl: 500ms}"), observers=(heard.append,)) as beat:
        until(beat.daemon.leading, PATIENCE, "it leads")
        with monkeypatch.context() as broken:
            broken.setattr(beat.daemon, "stats", lambda: 1 / 0)
            until(lambda: "ZeroDivisionError" in last(LeadLost), PATIENCE, "it steps down")
            until(lambda: "ZeroDivisionError" in last(Broke), PATIENCE, "it is told")
        first = last(LeadWon)
        until(lambda: last(LeadWon) != first, PATIENCE, "it leads again")
        assert beat.daemon.alive()


def test_its_counts_may_grow_while_they_are_read() -> None:
    seen, now = LastState(), datetime(2026, 3, 1, tzinfo=UTC)
    seen(Sent.of(ended(1, Outcome("confirmed")), 0.1))
    for state in seen.run_counts():
        seen(Skipped([("a", Skip(now, now, 1, "late"))]))
        assert seen.run_counts() == {state: 1, "skipped": 1}


def test_a_store_that_went_back_is_told_in_the_status(config: Callable[..., Path]) -> None:
    daemon = Beat(config()).daemon
    assert status_of(daemon)["went_back"] is None
    daemon.last_state(WentBack("it issued term 3 after 4"))
    assert status_of(daemon)["went_back"] == "it issued term 3 after 4"
