"""How a command that failed ends: one line on stderr, an exit code, never a traceback."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from beatd.cli.escapes import visible
from beatd.errors import BeatError, ConfigError
from beatd.secret import hidden

COULD_NOT = 1
ASKED_WRONGLY = 2


@contextmanager
def told(*, debug: bool = False) -> Iterator[None]:
    """Turns every exception into its line (each problem of a configuration its own) and its code;
    with `debug`, an unexpected one passes."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(ASKED_WRONGLY)
    except click.UsageError as error:
        say(f"{error.format_message().rstrip('.')}{_help_of(error)}")
        sys.exit(ASKED_WRONGLY)
    except click.ClickException as error:
        say(error.format_message())
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except ConfigError as error:
        for problem in error.problems:
            say(str(problem))
        sys.exit(ASKED_WRONGLY)
    except BeatError as error:
        say(str(error))
        sys.exit(COULD_NOT)
    except BrokenPipeError:
        # `beatd list | head`: the reader has what it wanted. What is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(COULD_NOT)
    except OSError as error:
        if debug:
            raise
        where = f"{error.filename}: " if error.filename else ""
        say(f"{where}{(error.strerror or str(error)).lower()}")
        sys.exit(COULD_NOT)
    except Exception as error:
        if debug:
            raise
        kind = type(error).__name__
        say(f"unexpected {kind}: {' '.join(str(error).split())[:300]} (--debug shows where)")
        sys.exit(COULD_NOT)


def say(text: str, colour: str = "red") -> None:
    """One line on stderr, whatever is in the text."""
    line = visible(" ".join(hidden(text).split("\n")))
    click.echo(f"{click.style('beatd:', fg=colour)} {line}", err=True)


def _help_of(error: click.UsageError) -> str:
    return f" (see {error.ctx.command_path} --help)" if error.ctx else ""
