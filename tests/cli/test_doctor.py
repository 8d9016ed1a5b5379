"""beatd doctor: one line for each part, and an exit code."""

import json
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from beatd import __version__
from tests.cli.conftest import Beatd, Here
from tests.process import Process
from tests.waiting import until

Write = Callable[[str, str], Path]


def has_leader(here: Here) -> bool:
    """Return True once a daemon leads by the store, and has applied what it declares."""
    with closing(here.store("empty")) as store:
        return any(one.role == "leader" and not one.problems for one in store.daemons())


def trouble_is_announced(here: Here) -> bool:
    """Return True once a daemon says in the store that a file and the broker are wrong."""
    with closing(here.store("empty")) as store:
        daemons = store.daemons()
    return any(one.problems and one.broker for one in daemons)


def test_all_is_well_without_a_server(here: Here) -> None:
    ended = here("doctor")
    assert ended.out.splitlines()[0].startswith("ok       check     ")
    assert ended.out.splitlines()[2:] == [
        "ok       store     there is no store yet; `beatd run` creates it",
        "ok       broker    memory: answers",
        "ok       workers   no entry is enabled, so no worker is needed",
        "all is well",
    ]
    assert not (here.folder / "beatd.db").exists()


def test_a_dead_broker_is_one_line_and_ends_1(here: Here) -> None:
    here.file(
        "config.yaml",
        "broker: redis://:sesame@127.0.0.1:1/0\nentries:\n  a: {task: t, every: 5s}\n",
    )
    ended = here("doctor", code=1)
    assert [line for line in ended.out.splitlines() if not line.startswith("ok")] == [
        "error    broker    does not answer: redis://:***@127.0.0.1:1/0: Error 111 connecting to "
        "127.0.0.1:1. Connection refused; is it running, and is broker.url right?",
        "1 error",
    ]


def test_what_check_says_of_a_file_or_of_the_broker_the_daemon_does_not_say_again(
    here: Here,
) -> None:
    config = "broker: redis://127.0.0.1:1/0\nschedules: [jobs/]\n"
    here.file("config.yaml", config + "entries:\n  a: {task: t, every: 1s}\n")
    here.file("jobs/b.yaml", "entries: {b: {task: t, every: 1s}}\n")
    with closing(Process("run", cwd=here.folder)) as daemon:
        daemon.says("waiting for the broker")
        here.file("jobs/b.yaml", "entries: {b: {task: t, evry: 1s}}\n")
        until(lambda: trouble_is_announced(here), 60, "the daemon announced no trouble")
        found = json.loads(here("doctor", "--json", code=1).out)["findings"]
    lines = [one["text"] for one in found]
    assert len([line for line in lines if "evry" in line]) == 1
    assert len([line for line in lines if "Connection refused" in line]) == 1


def test_json(here: Here) -> None:
    found = here.json("doctor")
    assert found["ok"] is True
    assert found["findings"][2] == {
        "level": "ok",
        "subject": "store",
        "text": "there is no store yet; `beatd run` creates it",
    }


def test_a_configuration_that_cannot_be_used_ends_1_with_its_problems(here: Here) -> None:
    here.file("config.yaml", "brokr: memory://\n")
    ended = here("doctor", code=1)
    first, *_, last = ended.out.splitlines()
    assert first.startswith("error    check     ")
    assert "did you mean broker?" in first
    assert last == "1 error"


def test_the_store_is_not_changed(x: Here) -> None:
    before = x.json("changes"), x.json("list")
    x("doctor")
    assert (x.json("changes"), x.json("list")) == before


def test_a_daemon_that_leads_is_well_with_its_version_and_its_port(here: Here) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    here.config(f'http: {{bind: "127.0.0.1:{port}"}}\n')
    with closing(Process("run", cwd=here.folder)) as daemon:
        daemon.says("leading, term 1")
        until(lambda: has_leader(here), 60, "no daemon announced itself")
        lines = here("doctor").out.splitlines()
    who, *rest = [line for line in lines if " daemons " in line]
    assert who.endswith(" leads")
    assert rest == [f"ok       daemons   beatd {__version__} runs, as is installed here"]
    assert f"ok       http      a daemon answers on 127.0.0.1:{port}" in lines


@pytest.mark.parametrize("timeout", ["0s", "1h", "soon"])
def test_a_wrong_timeout_is_wrong_usage(here: Here, timeout: str) -> None:
    ended = here("doctor", "--timeout", timeout, code=2)
    assert ended.line.startswith("beatd: --timeout: ")


def test_without_a_configuration_the_line_says_which_would_do(
    beatd: Beatd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = beatd("doctor")
    assert (ended.code, "give -c FILE" in ended.line) == (2, True)
    assert beatd("--url", "http://127.0.0.1:1", "doctor").code == 2
