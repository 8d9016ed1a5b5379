"""A leader that was killed is not a standby; a next run that is past is overdue."""

import re
from datetime import UTC, datetime, timedelta

from beatd.definition import entry_from
from beatd.edits.editing import add
from beatd.leader import Holder
from beatd.presence import Presence
from tests.cli.conftest import Here
from tests.cli.test_status import LEADER, line_of
from tests.roles import status_shared_by


def killed(here: Here, *, another_leads: bool = True) -> None:
    """The leader was killed four seconds ago; what it announced has not expired."""
    store, now = here.store(), datetime.now(UTC)
    store.begin(LEADER)
    store.announce(Presence(LEADER, "leader", True, now - timedelta(seconds=4)), 60.0)
    heir = Holder("two", "host-b", 22, now, "token-b")
    if another_leads:
        store.begin(heir)
    store.announce(Presence(heir, "leader" if another_leads else "standby", True, now), 60.0)
    store.announce(
        Presence(Holder("three", "host-c", 33, now, "token-c"), "standby", True, now), 60.0
    )
    store.close()


def test_a_killed_leader_is_no_standby(x: Here) -> None:
    killed(x)
    found = x.json("status")
    assert [one["name"] for one in found["standbys"]] == ["three"]
    (old,) = found["led_before"]
    assert (old["name"], old["host"], old["pid"]) == ("one", "host-a", 11)
    assert 4 <= old["last_seen_age"] < 60
    assert line_of(x, "standbys") == "three (host-c, pid 33)"
    assert "no longer leads: one (host-a, pid 11), last seen " in x("status").out


def test_a_leader_is_not_heard_of_until_another_leads(x: Here) -> None:
    killed(x, another_leads=False)
    found = x.json("status")
    assert found["led_before"] == [] and found["leader"]["name"] == "one"
    assert re.search(r"one \(host-a, pid 11\), since .*; last seen \d", x("status").out)


def test_a_next_run_that_is_past_is_overdue(x: Here) -> None:
    store = x.store()
    late = entry_from("late", {"task": "t", "every": "1m"})
    add(store, late, lambda: datetime.now(UTC) - timedelta(minutes=10))
    first, second = status_shared_by(store, datetime.now(UTC))["next"]
    assert first["name"] == "late" and 500 < first["overdue"] < 660
    assert (second["name"], second["overdue"]) == ("x", None)
    due = datetime.fromisoformat(first["due"])
    rows = status_shared_by(store, due + timedelta(seconds=12))["next"]
    assert rows[0]["overdue"] == 12
    # A leader needs a moment for a run that is due.
    assert status_shared_by(store, due + timedelta(seconds=0.9))["next"][0]["overdue"] is None
    store.close()
    lines = x("status", code=1).out.splitlines()  # nobody leads
    line, other = lines[-2:]
    assert ", overdue by " in line and line.endswith(" late")
    assert "overdue" not in other
