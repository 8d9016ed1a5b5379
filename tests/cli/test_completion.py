"""The tab key: names of entries from the store, or nothing, never a message."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Here
from tests.process import BEATD

COMMANDS = ("show", "edit", "remove", "pause", "resume", "trigger", "history", "backfill")


def offered(folder: Path, line: str) -> list[str]:
    """What bash would offer for the last word of the line."""
    words = {"_BEATD_COMPLETE": "bash_complete", "COMP_WORDS": line}
    words["COMP_CWORD"] = str(len(line.split(" ")) - 1)
    done = subprocess.run(
        [BEATD], cwd=folder, env={**os.environ, **words}, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return [row.partition(",")[2] for row in done.stdout.splitlines() if row]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_name_is_completed(here: Here, command: str) -> None:
    for name in ("report-day", "report-night", "tidy"):
        here("add", name, "--task", "t", "--every", "1h")
    assert offered(here.folder, f"beatd {command} rep") == ["report-day", "report-night"]


def test_the_configuration_and_the_store_that_were_typed_are_asked(here: Here) -> None:
    here("add", "tidy", "--task", "t", "--every", "1h")
    elsewhere = here.folder / "elsewhere"
    elsewhere.mkdir()
    config = here.folder / "config.yaml"
    assert offered(elsewhere, f"beatd -c {config} show ") == ["tidy"]
    assert offered(elsewhere, f"beatd show -c {config} ") == ["tidy"]
    url = f"sqlite:///{here.folder}/beatd.db"
    assert offered(elsewhere, f"beatd show --store {url} ") == ["tidy"]


def test_many_names_are_cut_short(here: Here) -> None:
    entries = "".join(f"  e{number}: {{task: t, every: 1h}}\n" for number in range(60))
    here("apply", here.file("many.yaml", f"entries:\n{entries}"))
    assert len(offered(here.folder, "beatd show e")) == 50


@pytest.mark.parametrize(
    "text", ["brokr: [", "broker: memory://\nstore: {url: 'redis://127.0.0.1:1/0'}\n"]
)
def test_what_is_wrong_offers_nothing(here: Here, text: str) -> None:
    (here.folder / "config.yaml").write_text(text)
    assert offered(here.folder, "beatd show ") == []


def test_the_tab_key_makes_no_store(here: Here) -> None:
    assert offered(here.folder, "beatd show ") == []
    assert not (here.folder / "beatd.db").exists()


def test_the_commands_of_a_store_are_completed(here: Here) -> None:
    assert offered(here.folder, "beatd store ") == ["copy", "new-identity"]
    assert offered(here.folder, "beatd store c") == ["copy"]
