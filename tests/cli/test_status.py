"""beatd status"""

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from msgspec.structs import replace

from beatd.cli.author import author
from beatd.daemon.store_status import problems_to_announce
from beatd.incident import Incident
from beatd.leader import Holder
from beatd.presence import INVALID_SOURCE, Presence
from beatd.publisher import Outcome
from tests.cli.conftest import Here
from tests.cli.test_history import ran
from tests.roles import status_shared_by

NOW = datetime.now(UTC)
LEADER = Holder("one", "host-a", 11, NOW, "token-a")
STANDBY = Holder("two", "host-b", 22, NOW, "token-b")


def announced(
    here: Here, ago: float = 0, broker: str = "", problems: tuple[str, ...] = (), **stats: float
) -> None:
    store = here.store()
    store.begin(LEADER)
    seen = datetime.now(UTC) - timedelta(seconds=ago)
    for holder, role in ((STANDBY, "standby"), (LEADER, "leader")):
        presence: Any = Presence(
            holder,
            role,
            not broker,
            seen,
            0.001,
            "",
            stats,
            broker,
            problems,  # type: ignore[arg-type]
        )
        store.announce(presence, 60.0)
    store.close()


def test_status_says_why_the_broker_is_away_and_what_the_daemons_complain_of(x: Here) -> None:
    announced(x, broker="redis://***@h:1/0: connection refused", problems=("a.yaml:3: is wrong",))
    found = x.json("status", code=1)
    assert found["broker"] == {"ok": False, "error": "redis://***@h:1/0: connection refused"}
    assert found["conflicts"] == ["a.yaml:3: is wrong"]
    out = x("status", code=1).out
    assert "does not answer: redis://***@h:1/0: connection refused" in out
    assert "a.yaml:3: is wrong" in out


def test_status_says_that_the_lock_cannot_be_used_and_why(x: Here) -> None:
    store, seen = x.store(), datetime.now(UTC)
    why = "redis://h:1/0: cannot be reached: refused"
    store.announce(Presence(STANDBY, "standby", True, seen, lock=why), 60.0)
    store.close()
    found = x.json("status", code=1)
    assert found["lock"] == {"ok": False, "error": why, "daemon": "two"}
    out = x("status", code=1).out
    assert "nobody leads: the lock cannot be used" in out and "two cannot use it: redis://h" in out


def test_status_says_how_many_more_problems_a_daemon_has(x: Here) -> None:
    wrong = [f"beat_schedule.e{number}: is wrong" for number in range(33)]
    announced(x, problems=problems_to_announce(wrong, "one"))
    conflicts = x.json("status")["conflicts"]
    assert conflicts == [*wrong[:20], "13 more problems like these are in the log of one"]
    # A daemon's own page knows them all.
    store = x.store()
    assert status_shared_by(store, datetime.now(UTC), wrong)["conflicts"] == wrong
    store.close()


def test_a_leader_that_fell_silent_is_not_shown_as_if_it_led(x: Here) -> None:
    announced(x)
    assert "last seen" not in x("status").out
    announced(x, ago=2.2)
    assert "last seen 2." in x("status").out and " s ago" in x("status").out
    assert x.json("status")["last_seen_age"] >= 2.2


def test_status_tells_who_leads_and_how_it_is(x: Here) -> None:
    announced(x, tick_age=0.1, atomic=1.0, late_p50=0.001, late_p99=0.002, late_max=0.003)
    found = x.json("status")
    assert list(found) == [
        *("name", "host", "pid", "version", "role", "term", "leader", "last_leader"),
        *("reloads_since", "copied_to", "standbys", "led_before", "versions"),
        *(
            "store",
            "broker",
            "lock",
            "atomic",
            "unknowns",
            "last_seen_age",
            "last_tick_age",
            "lateness",
        ),
        *("went_back", "requests", "failing", "running_long", "not_received", "unread"),
        *("incidents", "entries"),
        *("paused", "needs_reload", "next", "conflicts", "invalid_sources"),
    ]
    assert (found["name"], found["role"], found["term"]) == ("one", "leader", 1)
    assert set(found["leader"]) == {"name", "host", "pid", "since"}
    assert [other["name"] for other in found["standbys"]] == ["two"]
    assert found["lateness"] == {"p50": 0.001, "p99": 0.002, "max": 0.003}
    assert (found["entries"], found["unknowns"], found["atomic"]) == (1, 0, True)
    assert found["next"][0]["name"] == "x"
    assert found["paused"] == {"count": 0, "at_least": False, "entries": []}
    out = x("status").out
    assert "one (host-a, pid 11)" in out and "p99 2.0 ms" in out and "paused" not in out
    assert line_of(x, "publishes") == "at once: claim, message and record"
    assert "\nterm " not in out  # it is in the JSON
    announced(x)
    assert line_of(x, "publishes") == "in three steps: claim, message, record"


def test_status_names_the_first_paused_entries_until_when_and_by_whom(x: Here) -> None:
    announced(x)
    x("pause", "x", "--until", "2099-01-01", "--note", "deploy")
    assert lines_about(x, "paused") == [
        "paused 1", f"x until 2099-01-01 00:00:00 CET, by {author()}: deploy"
    ]  # fmt: skip
    (one,) = x.json("status")["paused"]["entries"]
    assert one.pop("at") is not None
    assert one == {
        "entry": "x", "by": author(), "until": "2098-12-31T23:00:00Z", "note": "deploy",
    }  # fmt: skip
    for n in range(6):
        x("add", f"e{n}", "--task", "t", "--every", "5m")
        x("pause", f"e{n}")
    first, *named = lines_about(x, "paused")
    assert first == "paused 7; `beatd list --paused` shows all"
    assert named == [f"e{n}, by {author()}" for n in range(5)]
    found = x.json("status")["paused"]
    assert (found["count"], len(found["entries"])) == (7, 5)


def lines_about(here: Here, heading: str) -> list[str]:
    """The lines under a heading of the status, without indentation."""
    lines = here("status").out.splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith(heading))
    under = takewhile(lambda line: line.startswith(" "), lines[first + 1 :])
    return [" ".join(line.split()) for line in (lines[first], *under)]


def test_a_store_that_nobody_serves_is_told(x: Here) -> None:
    found = x.json("status", code=1)
    assert (found["leader"], found["store"]["ok"], found["entries"]) == (None, True, 1)
    assert found["broker"] == {"ok": None}
    out = x("status", code=1).out
    assert "nobody leads, and no daemon runs; no daemon has ever led; start one: beatd run" in out
    assert "only daemons connect to it" in out


def stands_by(here: Here, **more: Any) -> tuple[dict[str, Any], str]:
    """The status after a leader is gone, as JSON and as one line of text."""
    store = here.store()
    store.begin(LEADER)
    known = {"broker_ok": True, "seen_at": datetime.now(UTC), "stats": {"lock_ttl": 2.0}, **more}
    store.announce(Presence(STANDBY, "standby", **known), 60.0)
    store.close()
    return here.json("status", code=1), " ".join(here("status", code=1).out.split())


def test_status_says_who_led_and_how_long_its_lock_lasts(x: Here) -> None:
    found, out = stands_by(x, lock_holder="one")
    assert found["last_leader"]["name"] == "one" and found["leader"] is None
    assert found["lock"] == {"ok": True, "holder": "one", "ttl": 2.0}
    assert (
        "nobody leads yet: 1 daemon stands by, and one has the lock (it ends with that process, on "
        "a server at the latest 2 s after its last renewal); one (host-a, pid 11) led last, in "
        "term 1"
    ) in out
    _, out = stands_by(x)
    assert "1 daemon stands by, the lock is free, and one leads in a moment; one (host-a" in out


def test_a_store_that_is_away_keeps_the_shape(x: Here) -> None:
    away = x.json("status", "--store", "postgresql://u:secretpw@127.0.0.1:1/x", code=1)
    assert away["store"]["ok"] is False and "127.0.0.1:1" in away["store"]["error"]
    announced(x)
    assert list(away) == list(x.json("status"))
    assert "secretpw" not in str(away)


def test_status_tells_conflicts(x: Here) -> None:
    x.config("entries: {x: {task: other, every: 5m}}\n")
    (conflict,) = x.json("status", code=1)["conflicts"]
    assert "config.yaml:5: entry 'x' is not applied: cli owns" in conflict


def test_status_tells_what_a_file_says_wrong(x: Here) -> None:
    x.config("schedules: [s]\n")
    x.file("s/a.yaml", "entries: {y: {task: t, evry: 5m}}\n")
    announced(x)
    found = x.json("status", code=1)
    (problem,) = found["invalid_sources"]
    assert "s/a.yaml:1: entries.y" in problem and "evry" in problem
    assert found["conflicts"] == []
    (line,) = [one for one in x("status", code=1).out.splitlines() if "evry" in one]
    assert line.startswith("not applied  s/a.yaml:1: entries.y.evry: ")
    assert x("status", code=1).out.startswith(line)  # the first line: it is wrong
    x.file("s/a.yaml", "entries: {y: {task: t, every: 5m}}\n")
    assert x.json("status")["invalid_sources"] == []


def test_an_invalid_source_that_only_a_daemon_sees_is_named_as_one(x: Here) -> None:
    announced(x, problems=(f"{INVALID_SOURCE}b.yaml:3: is wrong", "held by another"))
    found = x.json("status", code=1)
    assert found["invalid_sources"] == ["b.yaml:3: is wrong"]
    assert found["conflicts"] == ["held by another"]


def test_a_mistake_that_a_daemon_names_with_another_path_is_one_line(x: Here) -> None:
    x.config("schedules: [jobs/]\n")
    file = x.file("jobs/b.yaml", "- b\n")
    mistake = "b.yaml:1: ['b'] is not a mapping; put entries under `entries:`"
    announced(x, problems=(f"{INVALID_SOURCE}jobs/{mistake}", f"{INVALID_SOURCE}c/{mistake}"))
    found = x.json("status", code=1)["invalid_sources"]
    assert found == [f"{file.parent}/{mistake}", f"c/{mistake}"]


def test_a_removed_entry_does_not_fail(x: Here) -> None:
    x("add", "y", "--task", "t", "--every", "1h")
    for name in ("x", "y"):
        ran(x, Outcome("rejected", "no queue"), name=name)
    announced(x)
    assert [one["entry"] for one in x.json("status")["failing"]] == ["y", "x"]
    x("remove", "y")
    assert [one["entry"] for one in x.json("status")["failing"]] == ["x"]


def test_a_removed_entry_does_not_fail_in_a_copy_of_the_store(x: Here) -> None:
    x("add", "y", "--task", "t", "--every", "1h")
    for name in ("x", "y"):
        ran(x, Outcome("rejected", "no queue"), name=name)
    x("remove", "y")
    x("store", "copy", "config.yaml", f"sqlite:///{x.folder}/second.db")
    second = x.json("status", "--store", f"sqlite:///{x.folder}/second.db", code=1)
    assert [one["entry"] for one in second["failing"]] == ["x"]


def test_a_long_lateness_is_told_in_words(x: Here) -> None:
    announced(x, late_p50=0.001, late_p99=137.8, late_max=118119.7)
    assert "p50 1.0 ms · p99 2 min 17 s · max 1 d 8 h" in x("status").out


def announce_again(here: Here, **of: Any) -> None:
    """Each of `of` is a field, with the values that leader and standby announce."""
    announced(here)
    store = here.store()
    for one in store.daemons():
        at = 0 if one.holder == LEADER else 1
        store.announce(replace(one, **{field: both[at] for field, both in of.items()}), 60.0)
    store.close()


def line_of(here: Here, heading: str) -> str:
    found = [one for one in here("status").out.splitlines() if one.startswith(f"{heading} ")]
    return " ".join(found[0].split()[1:]) if found else ""


def test_status_has_the_version_of_each_daemon(x: Here) -> None:
    announce_again(x, version=("1.2.0", "1.2.0"))
    found = x.json("status")
    assert found["version"] == "1.2.0"
    assert sorted(found["versions"], key=lambda one: one["name"]) == [
        {"name": "one", "version": "1.2.0"}, {"name": "two", "version": "1.2.0"}
    ]  # fmt: skip
    assert line_of(x, "version") == "beatd 1.2.0"


def test_status_says_that_two_versions_run_at_once(x: Here) -> None:
    announce_again(x, version=("1.2.0", ""))  # a daemon of an older beatd does not say it
    assert {"name": "two", "version": None} in x.json("status")["versions"]
    assert line_of(x, "version") == (
        "two at once: one 1.2.0, two an older one; restart them after an upgrade"
    )


def test_status_says_which_settings_wait_for_a_reload(x: Here) -> None:
    announced(x)
    assert x.json("status")["needs_reload"] == [] and line_of(x, "reload") == ""
    announce_again(x, needs_reload=((), ("http", "alerts")))
    assert x.json("status")["needs_reload"] == [{"name": "two", "settings": ["http", "alerts"]}]
    assert x("status").out.count("http") == 1
    assert "two: http and alerts changed in its configuration file after" in line_of(x, "reload")


def test_an_entry_that_fails_and_its_incident_are_one_line(x: Here) -> None:
    x("add", "y", "--task", "t", "--every", "1h")
    for name in ("x", "y"):
        ran(x, Outcome("rejected", "no queue"), name=name)
    announced(x)
    since = datetime(2026, 3, 2, 12, tzinfo=UTC)
    store = x.store()
    for kind, name in (("failed", "x"), ("late", "x"), ("failed", "gone")):
        one = Incident(kind=kind, name=name, opened=since, revision=1, observed="so")  # type: ignore[arg-type]
        assert store.put_incidents([one]) == [True]
    store.close()
    lines = [" ".join(line.split()) for line in x("status").out.splitlines()]
    begin = lines.index("failing y (no queue)")
    assert lines[begin + 1 : begin + 5] == [
        "x (no queue), an incident since 2026-03-02 13:00:00 CET",
        "incidents 2 more open",
        "late of x, since 2026-03-02 13:00:00 CET: so",
        "failed of gone, since 2026-03-02 13:00:00 CET: so",
    ]
    assert len(x.json("status")["incidents"]) == 3
