"""A configuration: its values, its paths, its secrets."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from beatd.config import Config, examine, load_config, make_folders, masked, without_file
from beatd.errors import ConfigError

Write = Callable[[str, str], Path]


def config(path: Path, **environment: str) -> Config:
    return load_config(path, environment=environment).config


def told(path: Path, **environment: str) -> list[str]:
    return [str(p).replace(f"{path}:", "") for p in examine(path, environment=environment).problems]


def test_a_broker_is_enough(write: Write) -> None:
    found = config(write("c.yaml", "broker: memory://\n"))
    assert found.broker.url == "memory://"
    assert (found.timezone, found.name, found.source) == ("UTC", "config", "yaml:config")
    assert found.store.url == f"sqlite:///{found.folder}/beatd.db"
    assert (found.lock.url, found.lock.ttl) == (None, timedelta(seconds=2))
    assert (found.history.keep, found.history.records) == (timedelta(days=7), 1_000_000)
    assert found.history.changes == timedelta(days=365)
    assert (found.log.level, found.log.format, found.http) == ("info", "text", None)


def test_so_is_an_app(write: Write) -> None:
    assert config(write("c.yaml", "app: proj.celery:app\n")).app == "proj.celery:app"
    assert without_file("proj").app == "proj"


def test_an_app_named_beside_the_file_wins(write: Write) -> None:
    path = write("c.yaml", "timezone: UTC\n")
    assert load_config(path, app="proj.celery").config.app == "proj.celery"
    assert load_config(write("d.yaml", "app: x\n"), app="y").config.app == "y"


def test_all_values_are_read(write: Write) -> None:
    found = config(
        write(
            "c.yaml",
            """
            name: east
            timezone: asia/shanghai
            broker: {url: redis://h/0, timeout: 1500ms, ssl: {ca_certs: x}, login_method: PLAIN}
            store: {url: redis://h/1, prefix: "b:"}
            lock: {url: none, ttl: 5}
            http: {bind: "[::1]:80", hosts: [beat.example]}
            log: {level: DEBUG, format: json}
            history: {keep: 1d, records: 5000, changes: 30d}
            defaults: {options: {queue: periodic}}
            entries: {a: {task: t, every: 5s, options: {priority: 1}}}
            """,
        )
    )
    assert (found.source, found.timezone) == ("yaml:east", "Asia/Shanghai")
    assert found.broker.settings() == {
        "url": "redis://h/0",
        "ssl": {"ca_certs": "x"},
        "login_method": "PLAIN",
    }
    assert found.broker.timeout == timedelta(seconds=1.5)
    assert (found.store.prefix, found.lock.url, found.lock.ttl.seconds) == ("b:", "none", 5)
    assert found.http is not None and (found.http.host, found.http.port) == ("::1", 80)
    assert found.http.hosts == ("beat.example",)
    assert (found.log.level, found.log.format) == ("debug", "json")
    assert (found.history.records, found.history.changes) == (5000, timedelta(days=30))
    (entry,) = found.entries
    assert entry.options == {"queue": "periodic", "priority": 1}
    assert (entry.tz, entry.source, entry.declared_at) == (
        "Asia/Shanghai",
        "yaml:east",
        "c.yaml:11",
    )


@pytest.mark.parametrize(
    ("section", "written", "meant"),
    [
        ("store", "sqlite:///x.db", "sqlite:///{here}/x.db"),
        ("broker", "sqla+sqlite:///a/../x.db?t=5", "sqla+sqlite:///{here}/x.db?t=5"),
        ("store", "sqlite:////abs/x.db", "sqlite:////abs/x.db"),
        ("store", "'sqlite:///:memory:'", "sqlite:///:memory:"),
        ("store", "'memory:'", "memory:"),
        ("store", "shelve:state/beat", "shelve:{here}/state/beat"),
        ("store", "shelve:/abs/beat", "shelve:/abs/beat"),
        ("store", "postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("lock", "file:beat.lock", "file:{here}/beat.lock"),
        ("lock", "file:/run/beat.lock", "file:/run/beat.lock"),
        ("broker", "sqla+sqlite:///b.db", "sqla+sqlite:///{here}/b.db"),
        ("broker", "amqp://a//;amqp://b//", "amqp://a//;amqp://b//"),
    ],
)
def test_paths_are_below_the_folder_of_the_config(
    write: Write, section: str, written: str, meant: str
) -> None:
    broker = "" if section == "broker" else "broker: memory://\n"
    path = write("c.yaml", f"{broker}{section}: {{url: {written}}}\n")
    assert getattr(config(path), section).url == meant.format(here=path.parent)


def test_the_folders_of_the_filesystem_broker_too(write: Write) -> None:
    path = write(
        "c.yaml",
        "broker: {url: 'filesystem://', transport_options: {data_folder_in: q}}\n",
    )
    options: Any = config(path).broker.transport_options
    assert options["data_folder_in"] == str(path.parent / "q")


def test_it_does_not_matter_where_one_stands(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("c.yaml", "broker: memory://\nstore: sqlite:///x.db\n")
    there = config(path)
    monkeypatch.chdir(path.parent)
    here = config(Path("c.yaml"))
    assert (here.store, here.folder) == (there.store, there.folder)


def test_a_password_may_lie_in_a_file(write: Write) -> None:
    write("pw", "p@ss:w/rd\n")
    path = write(
        "c.yaml",
        "broker: {url: redis://h:1/0, password_file: pw}\n"
        "store: {url: postgresql://me@h/d, password_file: pw}\n",
    )
    found = config(path)
    assert found.broker.url == "redis://:p%40ss%3Aw%2Frd@h:1/0"
    assert found.store.url == "postgresql://me:p%40ss%3Aw%2Frd@h/d"


def test_so_may_a_url(write: Write) -> None:
    write("url", "redis://:secret@h/0\n")
    assert config(write("c.yaml", "broker: {url_file: url}\n")).broker.url == "redis://:secret@h/0"


def test_a_value_with_a_password_does_not_show_it(write: Write) -> None:
    options = "transport_options: {sentinel_kwargs: {password: secret}}"
    text = f"broker: {{url: 'redis://u:secret@h/0', {options}}}\n"
    found = config(write("c.yaml", text))
    assert "secret" in str(found.broker.url)
    assert "secret" not in repr(found) and "u:***@h" in repr(found)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h/0", "redis://h/0"),
        ("redis://:p@h/0", "redis://:***@h/0"),
        ("amqp://u:p@a//;amqp://u:q@b//", "amqp://u:***@a//;amqp://u:***@b//"),
        (
            "postgresql://u:p%40x@h/d?sslpassword=s&x=1",
            "postgresql://u:***@h/d?sslpassword=***&x=1",
        ),
        ("postgresql://u:p:q@r@h/d", "postgresql://u:***@h/d"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert masked(url) == shown


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("broker: {url: redis://h, url_file: f}", "1: broker.url_file: and url are both given"),
        ("broker: {password_file: pw}", "1: broker.password_file: needs a url"),
        (
            "broker: {url: 'redis://u:x@h', password_file: pw}",
            "1: broker.password_file: and a password in the url are both given",
        ),
        ("broker: {url: 'redis://h', password_file: empty}", "1: broker.password_file: 'empty' is"),
        ("broker: {url: 5}", "1: broker.url: 5 is not a URL"),
        ("broker: {url: localhost}", "1: broker.url: does not begin with a scheme"),
        ("broker: {url: 'redis://a b'}", "1: broker.url: has blanks"),
        ("broker: {timeout: 0}\napp: x", "1: broker.timeout: 0 is nothing"),
        ("broker: {transport_options: [1]}\napp: x", "1: broker.transport_options: [1] is not"),
        ("app: proj celery", "1: app: 'proj celery' is not a module"),
        ("app: 5", "1: app: '5' is not a module"),
        ("app: x\nschedules: {a: 1}", "2: schedules: {'a': 1} is not a list of paths"),
        ("app: x\nname: ''", "2: name: is empty"),
        ("app: x\nstore: [1]", "2: store: [1] is not a mapping"),
        ("app: x\nhistory: {records: 5}", "2: history.records: 5 is out of range"),
        ("app: x\ndefaults: []", "2: defaults: [] is not a mapping"),
        ("app: x\nentries: {a: {task: t, every: 5s}, b: 5}", "2: entries.b: 5 is not an entry"),
        ("app: x\nentries: {1: {task: t, every: 5s, x y: 1}}", "2: entries.1.'x y': is not a key"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_path(write: Write, text: str, line: str) -> None:
    write("pw", "p")
    write("empty", "")
    found = told(write("c.yaml", f"{text}\n"))
    assert len(found) == 1, found
    assert found[0].startswith(line)


def test_problems_come_in_the_order_of_the_file(write: Write) -> None:
    path = write("c.yaml", "entries:\n  a: {task: t, every: x}\nlog: {level: x}\nbroker: 5\n")
    assert [line.split(":")[0] for line in told(path)] == ["2", "3", "4"]


def test_the_error_holds_all_of_them_and_no_warning(write: Write) -> None:
    path = write("c.yaml", "broker: x\nlog: 5\nentries: {a: {task: t, every: 3d}}\n")
    with pytest.raises(ConfigError) as refusal:
        load_config(path)
    assert len(refusal.value.problems) == 2
    assert "\n" not in str(refusal.value)


def test_warnings_come_with_the_configuration(write: Write) -> None:
    path = write("c.yaml", "app: x\nentries:\n  a: {task: t, every: 3d, args: [no, 'no']}\n")
    loaded = load_config(path)
    assert [str(w.path) for w in loaded.warnings] == [
        "('entries', 'a', 'every')",
        "('entries', 'a', 'args', 0)",
    ]


def test_a_default_that_is_wrong_is_told_once(write: Write) -> None:
    text = "app: x\ndefaults: {tz: Mars, jitter: 5s}\nentries:\n"
    path = write("c.yaml", text + "".join(f"  e{n}: {{task: t, every: 5s}}\n" for n in range(5)))
    assert len(told(path)) == 1
    entries = examine(path).config.entries  # type: ignore[union-attr]
    assert [entry.jitter.seconds for entry in entries] == [5] * 5


def test_flags_and_numbers_may_come_from_the_environment(write: Write) -> None:
    path = write(
        "c.yaml",
        "broker: ${BROKER}\nlock: {ttl: '${TTL:-3s}'}\n"
        "entries: {a: {task: t, every: '${EVERY}', enabled: '${ON}', max_runs: '${RUNS}'}}\n",
    )
    found = config(path, BROKER="redis://h/0", EVERY="30", ON="no", RUNS="5")
    assert (found.broker.url, found.lock.ttl) == ("redis://h/0", timedelta(seconds=3))
    (entry,) = found.entries
    assert (entry.enabled, entry.max_runs) == (False, 5)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(ConfigError) as refusal:
            load_config(path)
        assert str(refusal.value).startswith(str(path))
    if os.geteuid():
        locked = tmp_path / "locked"
        locked.write_text("x")
        locked.chmod(0)
        with pytest.raises(ConfigError, match="permission denied"):
            load_config(locked)


def test_missing_folders_are_made_below_the_config_and_nowhere_else(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "c.yaml").write_text(
        f"store: sqlite:///run/beatd.db\nlock: file:{tmp_path}/volume/lock\n"
        "broker: {url: 'filesystem://', transport_options: {data_folder_in: q/in}}\n"
    )
    make_folders(config(home / "c.yaml"))
    assert (home / "run").is_dir() and (home / "q/in").is_dir()
    assert not (tmp_path / "volume").exists()


def test_memory_needs_no_colon_that_yaml_would_stumble_over(write: Write) -> None:
    assert config(write("c.yaml", "app: x\nstore: memory\n")).store.url == "memory:"


def test_outcomes_are_read_from_reports_unless_another_place_is_named(write: Write) -> None:
    plain = config(write("c.yaml", "broker: memory://\n")).outcomes
    assert (plain.read_from, plain.queue) == ("reports", "beatd.outcomes")
    for place in ("results", "off"):
        text = f"broker: memory://\noutcomes: {{from: {place}, queue: mine}}\n"
        named = config(write("c.yaml", text)).outcomes
        assert (named.read_from, named.queue) == (place, "mine")


def test_a_place_or_queue_of_outcomes_that_cannot_be_is_told(write: Write) -> None:
    text = "broker: memory://\noutcomes: {from: logs, queue: 'a/b', que: c}\n"
    place, unknown, queue = sorted(told(write("c.yaml", text)))
    assert place == "2: outcomes.from: 'logs' is none of reports, results, off"
    assert unknown == "2: outcomes.que: is not a setting of outcomes; did you mean queue?"
    assert queue.startswith("2: outcomes.queue: 'a/b' is not a name of letters, digits")
