"""`beatd status` names the entries whose newest run no worker has received."""

from datetime import UTC, datetime, timedelta

import pytest

from beatd import last_sent
from beatd.publisher import Outcome
from tests.cli.conftest import Here
from tests.cli.test_history import ran
from tests.cli.test_outcomes import leaves, reported
from tests.cli.test_status import announced, lines_about

OLD = datetime.now(UTC) - timedelta(hours=12)


@pytest.fixture
def sent(x: Here, monkeypatch: pytest.MonkeyPatch) -> Here:
    """A store where a worker reported a run of each entry, and a newer run of each was sent."""
    monkeypatch.setattr(last_sent, "ON_ITS_WAY", timedelta(days=-2))  # its runs are ahead
    announced(x)
    for name in ("nightly", "tick"):
        x("add", name, "--task", "t", "--every", "1h")
    for name in ("nightly", "tick", "x"):
        ran(x, Outcome("confirmed"), name=name)
        reported(x, "succeeded", name=name, planned=newest_moment(x, name))
    return x


def newest_moment(here: Here, name: str) -> datetime:
    return datetime.fromisoformat(here.json("history", name)[0]["planned"])


def test_status_names_the_entries_whose_last_run_no_worker_received(sent: Here) -> None:
    assert sent.json("status")["not_received"] == {"count": 0, "at_least": False, "entries": []}
    assert "not received" not in sent("status").out
    for name in ("nightly", "x"):
        ran(sent, Outcome("confirmed"), name=name)
    found = sent.json("status")["not_received"]
    assert (found["count"], found["at_least"]) == (2, False)
    newest = sent.json("history", "nightly")[0]
    assert found["entries"][0] == {
        "entry": "nightly", **{key: newest[key] for key in ("task_id", "planned", "published")}
    }  # fmt: skip
    assert lines_about(sent, "not received") == [
        "not received 2 entries (nightly, x); no worker received their last run"
    ]
    reported(sent, "received", name="x", planned=newest_moment(sent, "x"))
    assert lines_about(sent, "not received") == [
        "not received 1 entry (nightly); no worker received its last run"
    ]


def test_status_names_the_first_of_many_and_says_how_many_there_are(
    sent: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beatd.cli.not_received_line.NAMES_SHOWN_MAX", 2)
    for name in ("nightly", "tick", "x"):
        ran(sent, Outcome("confirmed"), name=name)
    assert lines_about(sent, "not received") == [
        "not received 3 entries (nightly, tick and 1 more); no worker received their last run"
    ]
    # Of very many entries, only those that ran lately are looked at.
    monkeypatch.setattr(last_sent, "ENTRIES_READ_MAX", 2)
    found = sent.json("status")["not_received"]
    assert (found["count"], found["at_least"]) == (3, True)
    assert "at least 3 entries (" in sent("status").out


def test_without_a_leader_nobody_knows_what_workers_received(sent: Here) -> None:
    ran(sent, Outcome("confirmed"), name="nightly")
    assert sent.json("status")["unread"] is False
    leaves(sent)
    found = sent.json("status", code=1)
    assert (found["not_received"], found["unread"], found["running_long"]) == (None, True, [])
    out = " ".join(sent("status", code=1).out.split())
    assert "not received" not in out
    assert "outcomes of the newest runs not known yet: no daemon leads, so nobody reads" in out


def test_without_a_leader_all_is_known_of_runs_that_ended(sent: Here) -> None:
    leaves(sent)
    found = sent.json("status", code=1)
    assert (found["not_received"]["count"], found["unread"]) == (0, False)
    assert "not known" not in sent("status", code=1).out


def test_without_a_leader_a_run_that_was_running_long_is_not_said_to_run(sent: Here) -> None:
    ran(sent, Outcome("confirmed"), name="x")
    reported(sent, "started", name="x", planned=newest_moment(sent, "x"), started=OLD)
    assert sent.json("status")["unread"] is False
    leaves(sent)
    found = sent.json("status", code=1)
    assert (found["running_long"], found["unread"]) == ([], True)


def test_nothing_is_said_if_no_worker_ever_reported(
    x: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_sent, "ON_ITS_WAY", timedelta(days=-2))
    announced(x)
    ran(x, Outcome("confirmed"))
    assert x.json("status")["not_received"]["count"] == 0
    assert "not received" not in x("status").out


def test_a_removed_entry_waits_for_no_worker(sent: Here) -> None:
    ran(sent, Outcome("confirmed"), name="tick")
    assert sent.json("status")["not_received"]["count"] == 1
    sent("remove", "tick")
    assert sent.json("status")["not_received"]["count"] == 0
