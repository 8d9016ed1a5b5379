"""RedBeat's entries, written by RedBeat itself into a real Redis."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery import Celery
from celery.schedules import crontab, schedule
from click.testing import CliRunner, Result

from beatd import planning
from beatd.cli import main
from beatd.imports import Imported, to_entries
from beatd.imports.redbeat import read_redbeat

redbeat = pytest.importorskip("redbeat")
from redbeat.schedules import rrule  # noqa: E402  # after the skip

NOW = datetime(2026, 11, 21, 5, 30, tzinfo=UTC)


class Place:
    def __init__(self, url: str, prefix: str) -> None:
        self.url, self.prefix = url, prefix
        self.client = redis.Redis.from_url(url)
        self.app = Celery("proj", broker=url, set_as_current=False)
        self.app.conf.update(redbeat_redis_url=url, redbeat_key_prefix=prefix)

    def save(self, name: str, when: Any, *args: Any, **more: Any) -> Any:
        entry = redbeat.RedBeatSchedulerEntry(
            name, f"proj.{name}", when, args=args, app=self.app, **more
        )
        return entry.save()

    def taken(self) -> Imported:
        read = read_redbeat(self.url, prefix=self.prefix)
        made = to_entries(read.found, timezone="UTC", source="redbeat")
        return Imported(made.entries, (*read.refused, *made.refused))


@pytest.fixture
def place(server: Callable[[str], tuple[str, int]]) -> Iterator[Place]:
    host, port = server("redis")
    made = Place(f"redis://{host}:{port}/11", f"t{uuid4().hex[:8]}:")
    try:
        yield made
    finally:
        for key in made.client.scan_iter(f"{made.prefix}*"):
            made.client.delete(key)
        made.client.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_kind_of_entry_is_carried_over(place: Place) -> None:
    place.save("often", schedule(run_every=60), 1, 2, kwargs={"x": "y"}, options={"queue": "q"})
    place.save("office", crontab(minute="*/5", hour="9-17", day_of_week="mon-fri"))
    place.save(
        "monthly",
        rrule("MONTHLY", dtstart=datetime(2026, 1, 31, 9, tzinfo=UTC), bymonthday=-1),
    )
    place.save("off", schedule(run_every=3600), enabled=False)

    taken = place.taken()

    assert not taken.refused
    entries = {one.entry.name: one.entry for one in taken.entries}
    assert set(entries) == {"often", "office", "monthly", "off"}
    assert entries["often"].args == (1, 2)
    assert entries["often"].kwargs == {"x": "y"}
    assert entries["often"].options == {"queue": "q"}
    assert not entries["off"].enabled
    assert entries["monthly"].schedule.next_after(NOW) == datetime(2026, 11, 30, 9, tzinfo=UTC)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_it_did_until_now_is_kept_and_nothing_is_due_at_the_switch(place: Place) -> None:
    last = NOW - timedelta(days=3, microseconds=5)
    entry = place.save("weekly", schedule(run_every=7 * 86400))
    entry._next_instance(last_run_at=last)

    (one,) = place.taken().entries

    assert (one.last, one.runs) == (last, 1)
    plan = planning.first(one.entry, NOW)
    assert plan.planned is not None
    # RedBeat's score is cut to whole seconds.
    assert abs(plan.planned - (last + timedelta(days=7))) < timedelta(seconds=1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_each_bad_hash_is_told_and_the_rest_is_carried_over(place: Place) -> None:
    place.save("good", schedule(run_every=60))
    for name in (
        "broken",
        "gone",
        "shapeless",
        "unknown",
        "empty",
        "binary",
        "deep",
        "huge",
        "nan",
    ):
        place.save(name, schedule(run_every=60))
    key = place.prefix
    place.client.hset(f"{key}broken", "definition", '{"name": "broken", "task"')
    place.client.delete(f"{key}gone")
    place.client.delete(f"{key}shapeless")
    place.client.set(f"{key}shapeless", "a string")
    place.client.hset(f"{key}unknown", "definition", '{"task":"t","schedule":{"__type__":"moon"}}')
    deep = "[" * 100_000 + "]" * 100_000
    place.client.hset(f"{key}deep", "definition", f'{{"task": "t", "args": {deep}}}')
    for name, number in (("huge", "1e308"), ("nan", "NaN")):
        given = f'{{"task": "t", "schedule": {{"__type__": "interval", "every": {number}}}}}'
        place.client.hset(f"{key}{name}", "definition", given)
    place.client.hset(f"{key}empty", "definition", "[]")
    place.client.hset(f"{key}binary", "definition", b'{"name": "\xff"}')
    place.client.zadd(f"{key}:schedule", {f"{key}\xff".encode("latin-1"): 0})

    taken = place.taken()

    assert [one.entry.name for one in taken.entries] == ["good"]
    reasons = {no.name: no.reason for no in taken.refused}
    assert set(reasons) == {
        *("broken", "gone", "shapeless", "unknown", "empty", "binary", "\ufffd"),
        *("deep", "huge", "nan"),
    }
    assert reasons["deep"].endswith(" nested deeper than 50 levels")
    assert reasons["huge"].startswith("has a number that is too large")
    assert "JSON" in reasons["broken"]
    assert "gone" in reasons["gone"]
    assert "moon" in reasons["unknown"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.long)])
def test_the_next_runs_are_redbeats(place: Place, count: int) -> None:
    """Outside its known faults: whole seconds only, early by what passed between the run and its
    saving, and wrong hours on days when clocks change."""
    kinds = [
        lambda i: schedule(run_every=30 + i),
        lambda i: schedule(run_every=3600 * (1 + i % 40)),
        lambda i: crontab(minute=i % 60, hour=f"*/{1 + i % 12}"),
        lambda i: crontab(minute=f"{i % 60}", day_of_week=i % 7),
        lambda i: crontab(hour=i % 24, minute=0, day_of_month=f"1-{2 + i % 20}"),
    ]
    scores, ran = {}, {}
    for i in range(count):
        saved = place.save(f"e{i}", kinds[i % len(kinds)](i))
        ran[f"e{i}"] = datetime.now(UTC)
        saved._next_instance(last_run_at=ran[f"e{i}"])
        scores[f"e{i}"] = place.client.zscore(f"{place.prefix}:schedule", saved.key)

    taken = place.taken()

    assert len(taken.entries) == count
    for one in taken.entries:
        plan = planning.first(one.entry, ran[one.entry.name])
        assert plan.planned is not None
        assert abs(plan.planned.timestamp() - scores[one.entry.name]) <= 2, one.entry


def test_where_there_is_nothing_the_key_is_named_as_redbeat_writes_it(place: Place) -> None:
    place.save("often", schedule(run_every=60))
    assert place.client.exists(f"{place.prefix}:schedule")
    read = read_redbeat(place.url, prefix=f"{place.prefix}else:")
    assert not read.found
    assert f"'{place.prefix}else::schedule'" in read.notes[0]


# A RedBeat that still runs


@pytest.fixture
def beatd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Place) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(
        "broker: {url: 'memory://'}\nstore: {url: 'sqlite:///store.db'}\n"
    )

    def run(*words: str) -> Result:
        source = [f"redbeat+{place.url}", "--prefix", place.prefix]
        words = ("import", *source, *words[1:]) if words[0] == "import" else words
        return CliRunner().invoke(main, [*words, "-c", "config.yaml"])

    return run


def shown(beatd: Callable[..., Result], name: str) -> Any:
    return json.loads(beatd("show", name, "--json").stdout)


def test_a_redbeat_that_holds_its_lock_is_imported_only_from_a_given_moment_on(
    place: Place, beatd: Callable[..., Result]
) -> None:
    place.save("often", schedule(run_every=60))
    scheduler = redbeat.RedBeatScheduler(place.app, lazy=True)
    place.client.set(scheduler.lock_key, "token", ex=1500)

    said = beatd("import")
    assert (said.exit_code, said.stdout) == (1, "")
    assert f"its lock '{place.prefix}:lock' is held for 1" in said.stderr
    assert "Stop it before the import" in said.stderr and "--since" in said.stderr
    assert beatd("import", "--dry-run").exit_code == 0
    assert "there is no" in beatd("list", "--json").stderr, "nothing was written"

    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    assert beatd("import", "--since", moment.isoformat()).exit_code == 0
    following = datetime.fromisoformat(shown(beatd, "often")["next"])
    assert moment < following <= moment + timedelta(minutes=1)
    place.client.delete(scheduler.lock_key)
    assert "1 unchanged" in beatd("import").stdout


def test_what_ran_after_an_import_is_kept_out_by_the_next(
    place: Place, beatd: Callable[..., Result]
) -> None:
    minute, fixed = schedule(run_every=60), crontab(minute="*")
    saved = [place.save("often", minute), place.save("cron", fixed), place.save("new", minute)]
    before = datetime.now(UTC) - timedelta(seconds=300)
    for entry in saved[:2]:
        entry._next_instance(last_run_at=before)
    since = (before + timedelta(seconds=1)).isoformat()
    assert "3 imported" in beatd("import", "--since", since).stdout
    beatd("pause", "cron")
    # It ran on, and was stopped.
    last = datetime.now(UTC)
    for entry in saved:
        found = redbeat.RedBeatSchedulerEntry.from_key(entry.key, app=place.app)
        found._next_instance(last_run_at=last)

    said = beatd("import", "--since", since)

    assert "0 imported, 3 with last runs read again" in said.stdout, said.output
    assert "s old. If it runs still, stop it and import again" in said.stderr
    assert shown(beatd, "cron")["paused"]
    beatd("resume", "cron")
    for name in ("often", "cron", "new"):
        found = shown(beatd, name)
        assert datetime.fromisoformat(found["next"]) > last, name
        assert datetime.fromisoformat(found["last"]) == last
    assert "3 unchanged" in beatd("import").stdout


def test_a_dry_run_shows_no_next_run_of_what_is_off(
    place: Place, beatd: Callable[..., Result]
) -> None:
    place.save("off", schedule(run_every=60), enabled=False)
    place.save("on", schedule(run_every=60))
    entries = json.loads(beatd("import", "--dry-run", "--json").stdout)["entries"]
    assert {one["name"]: one["next"] is None for one in entries} == {"off": True, "on": False}


def test_a_moment_to_count_from_that_is_none_is_asked_wrongly(
    beatd: Callable[..., Result],
) -> None:
    said = beatd("import", "--since", "soon")
    assert said.exit_code == 2
    assert said.stderr.startswith("beatd: --since: ")
