"""The command line as a whole: help, versions, failures, completion, speed."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

import beatd as package
from beatd.cli import main
from beatd.cli.commands import COMMANDS, _with_run
from beatd.cli.failure import exit_with_message
from beatd.errors import ConfigError, Problem, StoreError
from tests.cli.conftest import Beatd


def test_the_version(beatd: Beatd) -> None:
    assert beatd("--version").out == f"beatd {package.__version__}\n"


def test_help_names_every_command_without_importing_any(beatd: Beatd) -> None:
    shown = beatd("--help")
    assert shown.code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in shown.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_has_help(beatd: Beatd, name: str) -> None:
    shown = beatd(name, "--help")
    assert shown.code == 0 and shown.out.startswith(f"Usage: beatd {name}")
    assert COMMANDS[name] in shown.out.splitlines()[2], "its first sentence, as beatd --help has it"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name: str) -> None:
    context = click.Context(main)
    command = main.get_command(context, name)
    assert command is not None
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    assert [one.name for one in options if not one.help] == []


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("-c f", "-c f run"),
        ("-cf", "-cf run"),
        ("--config=f --debug", "--config=f --debug run"),
        ("-A p.app", "-A p.app run"),
        ("-c f --shadow", "-c f run --shadow"),
        ("-c f list", "-c f list"),
        ("-c f list --all", "-c f list --all"),
        ("--version", "--version"),
        ("-c f --help", "-c f --help"),
        ("next --cron x", "next --cron x"),
    ],
)
def test_no_command_means_run(words: str, meant: str) -> None:
    assert _with_run(words.split()) == meant.split()


def test_nothing_at_all_shows_the_help(beatd: Beatd) -> None:
    ended = beatd()
    assert ended.code == 2 and "Commands:" in ended.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nxt",), "No such command 'nxt'; did you mean next?"),
        (("lsit",), "No such command 'lsit'; did you mean list?"),
        (("-c", "f", "stauts"), "No such command 'stauts'; did you mean status?"),
        (("qqq",), "No such command 'qqq' (see"),
        (("next", "--crn", "x"), "No such option"),
        (("next", "--count", "x", "--every", "1s"), "'--count'"),
        (("completion", "tcsh"), "tcsh"),
    ],
)
def test_what_is_asked_wrongly_ends_2_with_one_line(
    beatd: Beatd, words: tuple[str, ...], said: str
) -> None:
    ended = beatd(*words)
    assert ended.code == 2
    assert said in ended.line and "--help" in ended.line


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("tz: no such zone"), 2, "beatd: tz: no such zone"),
        (StoreError("the store\nis away"), 1, "beatd: the store is away"),
        (click.ClickException("no"), 1, "beatd: no"),
        (PermissionError(13, "Permission denied", "/x"), 1, "beatd: /x: permission denied"),
        (RuntimeError("a\nb"), 1, "beatd: unexpected RuntimeError: a b (--debug shows where)"),
    ],
)
def test_every_failure_is_a_line_and_a_code(
    capsys: pytest.CaptureFixture[str], error: Exception, code: int, line: str
) -> None:
    with pytest.raises(SystemExit) as ended, exit_with_message():
        raise error
    assert ended.value.code == code
    assert capsys.readouterr().err == f"{line}\n"


def test_each_problem_of_a_configuration_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), exit_with_message():
        raise ConfigError("x", [Problem("is empty", ("name",), "f:1"), Problem("odd")])
    assert capsys.readouterr().err == "beatd: f:1: name: is empty\nbeatd: odd\n"


def test_debug_shows_where_an_unexpected_error_came_from() -> None:
    with pytest.raises(ZeroDivisionError), exit_with_message(debug=True):
        raise ZeroDivisionError


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(beatd: Beatd, shell: str) -> None:
    script = beatd("completion", shell)
    assert script.code == 0 and "_BEATD_COMPLETE" in script.out


def test_commands_are_completed_from_the_table() -> None:
    with main.make_context("beatd", ["next", "--every", "1s"]) as ctx:
        assert [item.value for item in main.shell_complete(ctx, "ch")] == ["changes", "check"]
        assert "--config" in [item.value for item in main.shell_complete(ctx, "--c")]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("beatd ch", {"changes", "check"}),
        ("beatd -c config.yaml ne", {"next"}),
        ("beatd next --cr", {"--cron", "--crontab"}),
        ("beatd completion b", {"bash"}),
    ],
)
def test_a_shell_gets_what_may_follow(words: str, found: set[str]) -> None:
    asked = {
        "_BEATD_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    ran = subprocess.run(
        [sys.executable, "-c", "from beatd.cli import main; main(prog_name='beatd')"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
    )
    assert {line.partition(",")[2] for line in ran.stdout.split()} == found


def test_a_name_that_the_terminal_cannot_show_is_escaped(write: Callable[[str, str], Path]) -> None:
    config = write("c.yaml", "broker: memory://\nentries: {日报: {task: t, evry: 5s}}\n")
    ran = subprocess.run(
        [sys.executable, "-m", "beatd", "check", "-c", str(config)],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
    )
    assert ran.returncode == 1
    assert rb"entries.\u65e5\u62a5.evry" in ran.stdout and not ran.stderr


def _modules(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after running the code."""
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stderr.split())


def _imports(code: str) -> set[str]:
    return {name.split(".")[0] for name in _modules(code)}


HELP = "from beatd.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
HEAVY = {"celery", "kombu", "sqlalchemy", "redis", "psycopg", "prometheus_client"}


def test_help_imports_nothing_heavy() -> None:
    assert not _imports(HELP) & (HEAVY | {"rich", "yaml", "pytz", "croniter"})


def test_next_and_check_import_no_broker_and_no_database(
    write: Callable[[str, str], Path],
) -> None:
    config = write("c.yaml", "broker: memory://\nentries: {a: {task: t, cron: '* * * * *'}}\n")
    for words in (
        ["next", "--every", "1s"],
        ["next", "-c", str(config), "a"],
        ["check", "-c", str(config)],
    ):
        run = f"from beatd.cli import main\ntry: main({words})\n"
        code = f"{run}except SystemExit as end: assert not end.code"
        assert not _imports(code) & HEAVY


def test_help_takes_a_moment() -> None:
    """0.15 s on a quiet machine: the time goes into modules, of which celery alone has hundreds."""
    assert len(_modules(HELP) - _modules("")) < 150
