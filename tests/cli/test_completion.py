"""The tab key: names of entries from the store, or nothing, never a message."""

import os
import pty
import re
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


#: What is typed, and what bash makes of it at the tab key.
TYPED = [
    ("beatd show na", r"beatd show name\ with\ blanks:\ and\ a\ colon "),
    (r"beatd show name\ wi", r"beatd show name\ with\ blanks:\ and\ a\ colon "),
    ("beatd show 'name wi", "beatd show 'name with blanks: and a colon' "),
    ('beatd show "na', 'beatd show "name with blanks: and a colon" '),
    (r"beatd show name\ with\ blanks:", r"beatd show name\ with\ blanks:\ and\ a\ colon "),
    ("beatd show team:", "beatd show team:report "),
    ("beatd show team:re", "beatd show team:report "),
    ("beatd show it", r"beatd show it\'s "),
    ("beatd add x --tz Europe/Berl", "beatd add x --tz Europe/Berlin "),
    ("beatd add x --tz=europe/berl", "beatd add x --tz=Europe/Berlin "),
    ("beatd next --tz America/Argentina/Us", "beatd next --tz America/Argentina/Ushuaia "),
]


@pytest.mark.parametrize(("typed", "line"), TYPED)
def test_bash_completes_blanks_quotes_and_colons(here: Here, typed: str, line: str) -> None:
    for name in ("name with blanks: and a colon", "team:report", "it's"):
        here("add", name, "--task", "t", "--every", "1h")
    assert at_tab(here, typed) == line


def at_tab(here: Here, typed: str) -> str:
    """Return the line after an interactive bash has completed it."""
    script = here("completion", "bash").out
    here.file("rc", f"{script}\nPS1='> '\nbind 'set enable-bracketed-paste off'\n")
    # The key C-x C-l prints the line, and ends the shell.
    bound = 'bind -x \'"\\C-x\\C-l": printf "LINE<%s>" "$READLINE_LINE"; exit 0\'\n'
    (here.folder / "rc").write_text((here.folder / "rc").read_text() + bound)
    path = f"{BEATD.parent}{os.pathsep}{os.environ['PATH']}"
    process, terminal = pty.fork()
    if not process:
        os.chdir(here.folder)
        os.execvpe(
            "bash",
            ["bash", "--noprofile", "--rcfile", "rc", "-i"],
            {**os.environ, "PATH": path, "TERM": "dumb", "COLUMNS": "200"},
        )
    seen = ""
    while "> " not in seen:
        seen += os.read(terminal, 10_000).decode()
    os.write(terminal, f"{typed}\t\x18\x0c".encode())
    while (found := re.search(r"LINE<(.*)>", seen)) is None:
        seen += os.read(terminal, 10_000).decode()
    os.close(terminal)
    os.waitpid(process, 0)
    return found[1]


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
    assert offered(here.folder, "beatd store ") == ["copy", "new-identity", "reopen"]
    assert offered(here.folder, "beatd store c") == ["copy"]


@pytest.mark.parametrize(
    ("typed", "value"),
    [("beatd next --tz=Europe/Berl", "--tz=Europe/Berlin"), ("beatd show na", "name: it's")],
)
def test_zsh_gets_whole_words(here: Here, typed: str, value: str) -> None:
    here("add", "name: it's", "--task", "t", "--every", "1h")
    words = {"_BEATD_COMPLETE": "zsh_complete", "COMP_WORDS": typed}
    words["COMP_CWORD"] = str(len(typed.split()) - 1)
    done = subprocess.run(
        [BEATD], cwd=here.folder, env={**os.environ, **words}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (f"plain\n{value}\n_\n", "")
