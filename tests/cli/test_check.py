"""beatd check: every problem, where it is, and a code."""

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from beatd.clock import SystemClock
from beatd.leaders.file import FileLease
from beatd.wiring.backends import own_holder
from tests.cli.conftest import Beatd, Here

Write = Callable[[str, str], Path]

GOOD = "broker: memory://\nentries:\n  a: {task: t, every: 5s}\n"


def test_nothing_wrong_ends_0(beatd: Beatd, write: Write) -> None:
    ended = beatd("check", "-c", write("c.yaml", GOOD))
    assert (ended.code, ended.out) == (0, "nothing wrong: 1 entry in 1 file\n")


def test_c_may_stand_before_the_command(beatd: Beatd, write: Write) -> None:
    assert beatd("-c", write("c.yaml", GOOD), "check").code == 0


def test_all_problems_of_all_files_are_told_with_their_lines(beatd: Beatd, write: Write) -> None:
    write("s/one.yaml", "entries:\n  a: {task: t, every: 5s}\n  b: {task: t, evry: 5s}\n")
    write("s/two.yaml", "entries:\n  a: {task: t, every: 5s}\n")
    config = write(
        "c.yaml",
        "broker: memory://\ntimezone: Mars\nschedules: [s, nowhere.yaml]\n"
        "entries:\n  c: {task: t, cron: '0 0 13 * fri'}\n",
    )
    ended = beatd("check", "-c", config)
    folder = config.parent
    assert ended.code == 1
    assert ended.out.splitlines() == [
        f"{config}:2: error: timezone: 'Mars' is not a time zone; write it like Europe/Berlin",
        f"{config}:5: warning: entries.c.cron: '0 0 13 * fri' restricts both days, "
        "so EITHER matches; begin one with * to mean both, or use crontab",
        f"{config}: error: schedules: 'nowhere.yaml' does not exist; is the path right?",
        f"{folder}/s/one.yaml:3: error: entries.b.evry: is not a key of an entry; "
        "did you mean every?",
        f"{folder}/s/two.yaml:2: error: entries.a: is declared in {folder}/s/one.yaml:2 already; "
        "give one of them another name",
        "4 errors, 1 warning: 1 entry in 3 files",
    ]


def test_a_folder_that_does_not_exist_is_a_warning_as_for_the_daemon(
    beatd: Beatd, write: Write
) -> None:
    config = write("c.yaml", "broker: memory://\nschedules: [schedules/]\n")
    ended = beatd("check", "-c", config)
    assert ended.code == 0
    assert ended.out.splitlines() == [
        f"{config}: warning: schedules: 'schedules/' does not exist; is the path right?",
        "1 warning: 0 entries in 1 file",
    ]
    assert beatd("check", config.parent / "schedules").code == 1  # it was typed


def test_the_example_of_the_readme_can_be_used(beatd: Beatd, write: Write) -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text()
    config = write("config.yaml", text.partition("```yaml\n")[2].partition("```")[0])
    ended = beatd("check", "-c", config)
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "1 warning: 1 entry in 1 file")


def test_warnings_alone_end_0(beatd: Beatd, write: Write) -> None:
    text = "broker: memory://\nentries:\n  a: {task: t, at: 2020-01-01}\n"
    ended = beatd("check", "-c", write("c.yaml", text))
    assert ended.code == 0
    assert "c.yaml:3: warning: entries.a: never runs again" in ended.out


def test_programs_get_json(beatd: Beatd, write: Write) -> None:
    config = write("c.yaml", "brokr: memory://\n")
    ended = beatd("check", "-c", config, "--json")
    assert ended.code == 1
    assert ended.json == {
        "ok": False,
        "problems": [
            {
                "level": "error",
                "file": str(config),
                "line": 1,
                "path": "brokr",
                "text": "is not a setting; did you mean broker?",
            }
        ],
        "files": [str(config)],
        "entries": 0,
        "facts": [],
    }


def test_entry_files_can_be_checked_alone(beatd: Beatd, write: Write) -> None:
    good = write("g.yaml", "entries: {a: {task: t, every: 5s}}\n")
    bad = write("b.yaml", "entries: {b: {task: t, every: 5x}}\n")
    assert beatd("check", good).code == 0
    ended = beatd("check", good, bad)
    assert ended.code == 1
    assert f"{bad}:1: error: entries.b.every: " in ended.out


def test_config_yaml_is_checked_where_one_stands(
    beatd: Beatd, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write("config.yaml", GOOD).parent)
    assert beatd("check").out == "nothing wrong: 1 entry in 1 file\n"
    assert beatd("next", "a", "-n", 1).code == 0


def test_without_anything_to_check_it_is_asked_wrongly(
    beatd: Beatd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = beatd("check")
    assert ended.code == 2 and "-c FILE" in ended.line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "c.yaml: error: is empty"),
        ("- a\n", "is not a mapping"),
        ("just text\n", "is not a mapping"),
        ("a: [\n", "is not YAML"),
        ("timezone: UTC\n", "broker: is missing"),
        ("broker: memory://\nstore: {url: 'mongodb://x'}\n", "is not a store that beatd knows"),
        ("broker: 'redis+cluster://x'\n", "no transport for Redis Cluster"),
        ("broker: memory://\nlock: {ttl: 10ms}\n", "too short"),
        ("broker: memory://\nhttp: {bind: '9753'}\n", "127.0.0.1:9753"),
        ("broker: memory://\nhttp: {bind: '0.0.0.0:9753'}\n", "warning: http.bind"),
        ("broker: memory://\nentries: [a]\n", "is not a mapping; write it like {tidy"),
        ("broker: memory://\nentries: {'': {task: t, every: 1s}}\n", "name of an entry is empty"),
        ("broker: memory://\ndefaults: {task: t}\n", "defaults.task: cannot be a default"),
        ("broker: memory://\ndefaults: {options: {priority: 999}}\n", "0 to 255"),
        (
            "broker: rdis://x\n",
            "error: broker.url: rdis: is not a broker that kombu knows; did you mean redis?",
        ),
        ("broker: {url: 'redis://x:port'}\n", "the port"),
        ("broker: {password_file: nope, url: 'redis://x'}\n", "cannot be read: no such file"),
    ],
)
def test_bad_input_is_one_clear_line(beatd: Beatd, write: Write, text: str, said: str) -> None:
    ended = beatd("check", "-c", write("c.yaml", text))
    assert said in ended.out
    assert len(ended.out.splitlines()) == 2, ended.out
    assert ended.err == ""


def test_passwords_are_not_shown(beatd: Beatd, write: Write) -> None:
    text = (
        "broker: 'redis://u:hunter2@x:port'\n"
        "store: 'postgres://u:hunter2@h/d d'\n"
        "lock: 'x:hunter2@y'\n"
    )
    ended = beatd("check", "-c", write("c.yaml", text))
    assert ended.code == 1 and "hunter2" not in ended.out + ended.err


def test_a_file_whose_name_is_no_text_is_told_to_programs_too(beatd: Beatd, write: Write) -> None:
    config = write("c.yaml", GOOD + "schedules: [s]\n")
    write(f"s/{os.fsdecode(b'caf' + bytes([0xE9]))}.yaml", "entries:\n  b: {task: t, every: 5s}\n")
    ended = beatd("check", "-c", config, "--json")
    assert ended.code == 1
    (problem,) = json.loads(ended.out)["problems"]
    assert problem["file"].endswith("caf\\udce9.yaml") and problem["line"] == 2


@pytest.mark.parametrize("section", ["lock", "store"])
def test_a_lock_whose_url_its_driver_refuses_is_told(
    beatd: Beatd, write: Write, section: str
) -> None:
    text = f"{section}: {{url: 'postgresql://localhost/db?prepare_threshold=5'}}\n"
    ended = beatd("check", "-c", write("c.yaml", GOOD + text))
    assert ended.code == 1
    assert f"error: {section}.url: " in ended.out and '"prepare_threshold"' in ended.out


def test_the_store_and_the_broker_are_asked_only_when_told_to(beatd: Beatd, write: Write) -> None:
    config = write("c.yaml", "broker: redis://127.0.0.1:1/0\nstore: redis://127.0.0.1:1/0\n")
    assert beatd("check", "-c", config).code == 0


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_broker_that_does_not_answer_is_told_with_its_place_and_the_reason(
    beatd: Beatd, write: Write
) -> None:
    port = closed_port()
    text = f"broker: {{url: 'redis://:s3cret@127.0.0.1:{port}/0', timeout: 1s}}\nstore: 'sqlite:///b.db'\n"
    ended = beatd("check", "--connect", "-c", write("c.yaml", text))
    assert ended.code == 1
    told = next(line for line in ended.out.splitlines() if "error: broker" in line)
    assert f"127.0.0.1:{port}" in told and "refused" in told.lower()
    assert "s3cret" not in ended.out + ended.err


def test_a_lock_that_does_not_answer_is_told(beatd: Beatd, write: Write) -> None:
    port = closed_port()
    text = (
        "broker: memory://\nstore: 'sqlite:///b.db'\n"
        f"lock: {{url: 'redis://:s3cret@127.0.0.1:{port}/0'}}\n"
    )
    ended = beatd("check", "--connect", "-c", write("c.yaml", text))
    assert ended.code == 1
    assert any("error: lock" in line for line in ended.out.splitlines()), ended.out
    assert "s3cret" not in ended.out + ended.err


def test_a_lock_beside_the_store_is_tried_as_well(beatd: Beatd, write: Write) -> None:
    config = write("c.yaml", "broker: memory://\nstore: 'sqlite:///b.db'\n")
    assert beatd("add", "x", "--task", "t", "--every", "1h", "-c", config).code == 0
    ended = beatd("check", "--connect", "-c", config)
    assert ended.code == 0 and "the lock answers" in ended.out
    lock = config.parent / "b.db.lock"
    lock.unlink()
    lock.mkdir()
    ended = beatd("check", "--connect", "-c", config)
    assert ended.code == 1
    assert f"error: lock: lock file {lock}: Is a directory" in ended.out


def test_a_good_lock_is_left_to_who_leads(beatd: Beatd, write: Write) -> None:
    text = "broker: memory://\nstore: 'sqlite:///b.db'\nlock: 'file:locks/beatd'\n"
    config = write("c.yaml", text)
    (config.parent / "locks").mkdir()
    lock = FileLease(config.parent / "locks" / "beatd")
    leader = own_holder("leader", SystemClock().now())
    lock.take(leader, 2.0)
    try:
        ended = beatd("check", "--connect", "-c", config)
        assert ended.code == 0, ended.out
        assert "the lock answers" in ended.out
        assert lock.take(leader, 2.0) == leader
    finally:
        lock.close()


def test_what_the_servers_say_is_there_for_programs_too(beatd: Beatd, write: Write) -> None:
    text = "broker: memory://\nstore: 'sqlite:///new/folder/b.db'\n"
    config = write("c.yaml", text)
    assert beatd("add", "x", "--task", "t", "--every", "1h", "-c", config).code == 0
    ended = beatd("check", "--connect", "--json", "-c", config)
    assert ended.code == 0, ended.out
    assert "the store answers" in cast(dict[str, Any], ended.json)["facts"]


@pytest.mark.parametrize("store", ["sqlite:///new/folder/b.db", "shelve:new/b"])
def test_an_absent_store_is_a_warning_and_stays_absent(
    beatd: Beatd, write: Write, store: str
) -> None:
    config = write("c.yaml", f"broker: memory://\nstore: '{store}'\n")
    ended = beatd("check", "--connect", "-c", config)
    assert ended.code == 0, ended.out
    assert "warning: store: store " in ended.out and "creates it" in ended.out
    assert list(config.parent.iterdir()) == [config]


def test_an_absent_store_that_nothing_could_create_is_an_error(beatd: Beatd, write: Write) -> None:
    config = write("c.yaml", "broker: memory://\nstore: 'sqlite:////nosuch/folder/b.db'\n")
    ended = beatd("check", "--connect", "-c", config)
    assert ended.code == 1
    assert "error: store: cannot be created: there is no folder /nosuch/folder" in ended.out


def test_an_app_that_cannot_be_loaded_is_an_error(beatd: Beatd, write: Write) -> None:
    config = write("c.yaml", "app: nowhere.at_all:app\n")
    ended = beatd("check", "-c", config)
    assert ended.code == 1
    assert f"{config}: error: app: 'nowhere.at_all:app' cannot be loaded" in ended.out
    assert len(ended.out.splitlines()) == 2, ended.out


def test_what_an_app_declares_is_checked_as_well(
    beatd: Beatd, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(
        "checked_app.py",
        "from celery import Celery\n"
        "app = Celery('checked', broker='memory://', set_as_current=False)\n"
        "app.conf.result_expires = None\n"
        "app.conf.beat_schedule = {\n"
        "    'good': {'task': 't', 'schedule': 5},\n"
        "    'both': {'task': 't', 'schedule': 5},\n"
        "    'bad': {'task': 't', 'schedule': 5, 'options': {'priority': 999}},\n"
        "}\n"
        "@app.task(name='t', shared=False)\n"
        "def t(): ...\n",
    )
    monkeypatch.syspath_prepend(str(path.parent))
    config = write("c.yaml", "app: checked_app:app\nentries:\n  both: {task: t, every: 5s}\n")
    ended = beatd("check", "-c", config)
    assert ended.code == 1
    assert "error: beat_schedule.bad.options.priority: 999 is out of range" in ended.out
    assert "warning: beat_schedule.both: is declared in " in ended.out
    assert "1 error, 1 warning: 1 entry in 1 file, 1 in the app" in ended.out
    assert beatd("-A", "checked_app:app", "check").code == 1


def test_the_settings_of_an_app_are_checked_too(
    beatd: Beatd, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(
        "short_app.py",
        "from celery import Celery\n"
        "app = Celery('short', broker='memory://', set_as_current=False)\n"
        "app.conf.beatd_lock_ttl = '1ms'\n",
    )
    monkeypatch.syspath_prepend(str(path.parent))
    ended = beatd("check", "-A", "short_app")
    assert ended.code == 1
    assert "short_app: error: beatd_lock_ttl: '1ms' is too short to renew in" in ended.out


def test_an_app_that_is_not_in_its_module_is_told_so(
    beatd: Beatd, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("appless.py", "")
    monkeypatch.syspath_prepend(str(path.parent))
    ended = beatd("check", "-A", "appless:nope")
    assert "appless has no nope" in ended.out + ended.err
    assert "No module named" not in ended.out + ended.err


def test_a_port_that_another_program_has_is_an_error_when_asked(beatd: Beatd, write: Write) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        config = write("c.yaml", f"{GOOD}http: {{bind: '{bind}'}}\n")
        ended = beatd("check", "--connect", "-c", config)
        assert ended.code == 1
        assert f"error: http.bind: {bind} is in use, but /live does not answer there" in ended.out
        assert "http.bind" not in beatd("check", "-c", config).out
    assert "http.bind" not in beatd("check", "--connect", "-c", config).out


def test_files_are_called_as_the_configuration_was(
    beatd: Beatd, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write("c.yaml", "broker: memory://\nschedules: [s]\n")
    write("s/one.yaml", "entries:\n  a: {task: t, every: 5s}\n")
    write("s/two.yaml", "entries:\n  a: {task: t, every: 5s}\n")
    monkeypatch.chdir(config.parent)
    (line, _) = beatd("check", "-c", "c.yaml").out.splitlines()
    assert line.startswith("s/two.yaml:2: error: entries.a: is declared in s/one.yaml:2 already")


def test_results_without_a_result_backend_is_a_warning(
    beatd: Beatd, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write("c.yaml", "broker: memory://\noutcomes: {from: results}\n")
    ended = beatd("check", "-c", config)
    assert (
        ended.code == 0 and "warning: outcomes.from: 'results' shows nothing: no app" in ended.out
    )
    path = write(
        "backless.py",
        "from celery import Celery\n"
        "app = Celery('backless', broker='memory://', set_as_current=False)\n",
    )
    monkeypatch.syspath_prepend(str(path.parent))
    config = write("c.yaml", "app: backless:app\noutcomes: {from: results}\n")
    assert "shows nothing: the app has no result backend" in beatd("check", "-c", config).out
    write("backless.py", path.read_text() + "app.conf.result_backend = 'redis://h/0'\n")
    monkeypatch.delitem(sys.modules, "backless")
    assert "shows nothing" not in beatd("check", "-c", config).out


def test_only_the_files_are_checked_with_zone_and_defaults_of_the_configuration(
    here: Here,
) -> None:
    here.config("app: nosuch:app\nhttp: {bind: '${NOSUCH}'}\ndefaults: {max_run: 1h}\n")
    file = here.file("a.yaml", "entries: {x: {task: t, every: 1d, overlap: skip}}")
    assert here("check", "--only-files", file).out == "nothing wrong: 1 entry in 1 file\n"
    assert "app: 'nosuch:app' cannot be loaded" in here("check", file, code=1).out
    file.write_text("entries: {x: {task: t, every: 1d, overlap: never}}")
    assert "entries.x.overlap" in here("check", "--only-files", file, code=1).out


@pytest.mark.parametrize("words", ["", "a.yaml --connect"])
def test_only_files_needs_files_and_does_not_connect(here: Here, words: str) -> None:
    here.file("a.yaml", "entries: {}")
    ended = here("check", "--only-files", *words.split(), code=2)
    assert "--only-files goes with ENTRYFILE…, and not with --connect" in ended.line


def test_a_file_that_could_not_be_read_is_not_counted_as_read(here: Here) -> None:
    good = here.file("a.yaml", "entries: {x: {task: t, every: 1d}}")
    bad = here.file("b.yaml", "entries: {y: [")
    out = here("check", good, bad, code=1).out
    assert out.endswith("1 error: 1 entry in 2 of 3 files\n"), out
    wrong = here.file("b.yaml", "entries: {y: {task: t}}")
    assert here("check", good, wrong, code=1).out.endswith(" in 3 files\n")
