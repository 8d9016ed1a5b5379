"""Pings of a monitor such as healthchecks.io, as a real server receives them."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from beatd.alerts.channel import NotDelivered
from beatd.entry import Entry, Monitor
from beatd.monitors.check_in import CheckIn, check_in_of
from beatd.notifiers.ping import PingMonitor, ping_url
from beatd.outcome import Delivery
from beatd.schedules import interval
from tests.notifiers.receivers import closed_url, receiver

ID = "0b8f3c1e-9a51-5c7e-8d43-2f7f6a1b9c00"
AT = datetime(2027, 1, 10, tzinfo=UTC)


def entry(url: str) -> Entry:
    return Entry(name="a", task="t", schedule=interval("1h"), monitor=Monitor(ping=url))


def delivery(state: str, error: str = "") -> Delivery:
    return Delivery(task_id=ID, delivery="d", name="a", planned=AT, state=state, at=AT, error=error)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "error", "path", "text"),
    [
        ("started", "", "/hook/start", ""),
        ("succeeded", "", "/hook", ""),
        ("failed", "ValueError: no such file", "/hook/fail", "failed: ValueError: no such file"),
        ("lost", "", "/hook/fail", "lost"),
        ("expired", "", "/hook/fail", "expired"),
        ("revoked", "", "/hook/fail", "revoked"),
        ("retried", "OSError: away", "/hook/log", "retried: OSError: away"),
    ],
)
def test_an_outcome_is_a_ping_with_the_runs_id(
    state: str, error: str, path: str, text: str
) -> None:
    with receiver() as server:
        check_in = check_in_of(entry(server.url), delivery(state, error))
        assert check_in is not None and PingMonitor().wants(check_in)
        PingMonitor().send(check_in)
    [received] = server.received
    assert received.path == f"{path}?rid={ID}"
    assert received.body.decode() == text


def test_a_received_run_is_no_ping_and_a_published_one_neither() -> None:
    one = entry("https://hc.example/x")
    assert check_in_of(one, delivery("received")) is None
    assert not PingMonitor().wants(CheckIn(entry=one, task_id=ID, state="published"))


def test_an_entry_without_a_ping_has_no_ping() -> None:
    one = replace(entry("x"), monitor=Monitor(sentry=True))
    assert not PingMonitor().wants(CheckIn(entry=one, task_id=ID, state="success"))


def test_a_query_of_the_url_stays() -> None:
    url = ping_url("https://hc.example/ping/x/?create=1", "/fail", ID)
    assert url == f"https://hc.example/ping/x/fail?create=1&rid={ID}"


def test_a_monitor_that_is_away_is_an_error_with_its_reason() -> None:
    with pytest.raises(NotDelivered, match="no connection"):
        PingMonitor().send(CheckIn(entry=entry(closed_url()), task_id=ID, state="success"))
