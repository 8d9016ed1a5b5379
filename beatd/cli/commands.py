"""The `beatd` program: a list of all commands, each imported only when it runs.

The module `beatd/cli/NAME.py` has a click command called `command`. The import is late because
`beatd --help` and every tab key wait for each import. A command returns an exit code, or None for
0: 0 done, 1 failed, 2 wrong usage. An exception that it raises becomes one line on stderr.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click
from click.core import ParameterSource

from beatd.cli.colours import may_have_colours
from beatd.cli.config_option import (
    APP_HELP,
    CONFIG_HELP,
    DEBUG_HELP,
    GROUP_FLAGS,
    GROUP_OPTIONS,
    ConfigOption,
    UrlOption,
    config_file,
)
from beatd.cli.escapes import visible
from beatd.cli.failure import EXIT_WRONG_USAGE, exit_with_message
from beatd.cli.url_option import CA_HELP, TOKEN_FILE_HELP, URL_HELP
from beatd.clock import SystemClock, process_age
from beatd.errors import nearest

#: name -> the first sentence of its own help, in the order that --help shows
COMMANDS = {
    "init": "Write a configuration for what is found here.",
    "run": "Run the daemon.",
    "add": "Add an entry.",
    "list": "List entries, the next to run first.",
    "show": "Show one entry.",
    "edit": "Change fields of an entry.",
    "remove": "Remove entries.",
    "pause": "Stop entries from running until they are resumed.",
    "resume": "Let paused entries run again, from now.",
    "trigger": "Run entries once now.",
    "backfill": "Run an entry for past moments.",
    "next": "Show the next runs of a schedule or of entries.",
    "history": "Show what ran, and what did not and why.",
    "changes": "Show who changed which entry, and how.",
    "undo": "Undo a change of an entry.",
    "why": "Explain why a moment of an entry ran or did not run.",
    "incidents": "Show what is wrong: the open incidents, the last opened first.",
    "alerts": "Try the channels to which messages about incidents are sent.",
    "status": "Show who leads, how late runs are and what is wrong.",
    "check": "Report every problem of a configuration or of entry files.",
    "doctor": "Try every connection of a configuration, and say what would do.",
    "diff": "Show which runs change between two sets of entry files.",
    "apply": "Apply what the configuration or entry files declare.",
    "export": "Print entries as YAML that `beatd apply` reads.",
    "import": "Import entries from another scheduler.",
    "schema": "Print the JSON Schema of the configuration or of entry files.",
    "store": "Maintain the store itself.",
    "completion": "Print a script with which your shell completes commands and names.",
}
#: Commands that work on this host only, never over the API of a daemon.
_LOCAL = {
    *("init", "run", "check", "doctor", "diff"),
    *("import", "schema", "store", "completion", "alerts"),
}
_MODULES = {"import": "import_"}  # a word that Python keeps for itself


class Main(click.Group):
    """The click group of all `beatd` commands, which imports a command only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return the command `name`, or None if there is no such command."""
        if name not in COMMANDS:
            return None
        module = f"beatd.cli.{_MODULES.get(name, name)}"
        try:
            command: click.Command = import_module(module).command
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            raise click.ClickException(f"{name} is not part of this version") from None
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` begin with; a name that is none raises UsageError."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            hint = nearest(args[0], COMMANDS)
            raise click.UsageError(f"No such command {args[0]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        names = [
            CompletionItem(name, help=about)
            for name, about in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; the command is `run` if they name none.

        Without arguments, print the help and the configuration that would be used, and exit.
        """
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            click.echo(f"\n{_configuration_here()}")
            ctx.exit(EXIT_WRONG_USAGE)
        # While a shell completes a line, `run` is not added: the user may type a command next.
        return super().parse_args(ctx, args if ctx.resilient_parsing else _with_run(args))

    def main(  # type: ignore[override]  # it does not return
        self, args: Sequence[str] | None = None, **extra: Any
    ) -> Any:
        """Run the command that `args` name, and exit with its exit code.

        `args` defaults to sys.argv. An exception is printed as one line on stderr.
        """
        words = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        if not may_have_colours():
            extra["color"] = False
        # Only the arguments of the process itself were typed when it started; a test passes others.
        age = process_age() if args is None else 0.0
        extra.setdefault("obj", ConfigOption(started_at_elapsed=SystemClock().elapsed() - age))
        for stream in (sys.stdout, sys.stderr):
            # Characters that the terminal's encoding does not have are escaped.
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        if os.environ.get("_BEATD_COMPLETE"):
            # These replace the classes of click.
            import_module("beatd.cli.bash_completion")
            import_module("beatd.cli.zsh_completion")
        with exit_with_message(debug="--debug" in words):
            sys.exit(super().main(words, **extra) or 0)


def _configuration_here() -> str:
    """Return a sentence that names the configuration which the commands use here."""
    if (found := config_file(None, None)) is None:
        return "No configuration is here: give -c FILE, set BEATD_CONFIG, or have a config.yaml."
    from pathlib import Path
    from shlex import quote

    file, named = visible(found), bool(os.environ.get("BEATD_CONFIG"))
    if not Path(found).is_file():
        return f"BEATD_CONFIG names {file}, and there is no such file."
    whence = "of BEATD_CONFIG" if named else "in this folder"
    start = f"start the daemon by `beatd run` or `beatd -c {quote(file)}`"
    return f"The commands use {file} {whence}; {start}."


def _with_run(args: list[str]) -> list[str]:
    """Return the arguments with `run` inserted if they name no command.

    For example, `-c FILE --shadow` becomes `-c FILE run --shadow`. Empty arguments stay empty, so
    that nobody starts a daemon by accident.
    """
    at = 0
    while at < len(args) and args[at].startswith("-"):
        word = args[at]
        if word in ("--help", "--version"):
            return args
        if word in GROUP_OPTIONS:
            at += 2
        elif word in GROUP_FLAGS or word.startswith(tuple(f"{name}=" for name in GROUP_OPTIONS)):
            at += 1
        elif word.startswith(("-c", "-A")) and not word.startswith("--"):
            at += 1  # -cFILE
        else:
            return [*args[:at], "run", *args[at:]]
    return args if at < len(args) or not args else [*args, "run"]


@click.group(
    cls=Main,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
    epilog="beatd COMMAND --help shows more. Exit codes: 0 done, 1 could not, 2 wrong usage. "
    "On a terminal, long tables open $PAGER; PAGER=cat prints them.",
)
@click.version_option(package_name="beatd", prog_name="beatd", message="%(prog)s %(version)s")
@click.option(
    "-c",
    "--config",
    type=click.Path(),
    metavar="FILE",
    help=CONFIG_HELP,
)
@click.option("-A", "--app", metavar="MODULE:APP", help=APP_HELP)
@click.option("--url", metavar="URL", envvar="BEATD_URL", help=URL_HELP)
@click.option("--token-file", type=click.Path(), metavar="FILE", help=TOKEN_FILE_HELP)
@click.option("--ca", type=click.Path(), metavar="FILE", help=CA_HELP)
@click.option("--debug", is_flag=True, help=DEBUG_HELP)
@click.pass_context
def main(
    ctx: click.Context,
    config: str | None,
    app: str | None,
    url: str | None,
    token_file: str | None,
    ca: str | None,
    debug: bool,
) -> None:
    """Run Celery tasks on time, once: a scheduler daemon for Celery workers.

    `beatd run`, or `beatd -c FILE` without a command, runs the daemon. The other commands work
    while daemons run. `beatd` alone prints this text.
    """
    started = ctx.obj.started_at_elapsed if isinstance(ctx.obj, ConfigOption) else None
    url_typed = ctx.get_parameter_source("url") is ParameterSource.COMMANDLINE
    if url_typed and ctx.invoked_subcommand in _LOCAL:
        raise click.UsageError(
            f"{ctx.invoked_subcommand} does not work over the API of a daemon; leave out --url"
        )
    ctx.obj = ConfigOption(
        config=config,
        app=app,
        debug=debug,
        started_at_elapsed=started,
        typed=bool(config or app),
        url=UrlOption(url or None, token_file, ca, url_typed),
    )
