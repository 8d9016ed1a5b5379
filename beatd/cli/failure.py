"""Report the error of a command as one line on stderr, and exit with its code."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from beatd.cli.colours import may_have_colours
from beatd.cli.escapes import visible
from beatd.errors import BeatError, ConfigError
from beatd.secret import hidden

EXIT_FAILED = 1
EXIT_WRONG_USAGE = 2


@contextmanager
def exit_with_message(*, debug: bool = False) -> Iterator[None]:
    """Turn an exception of the `with` block into a message on stderr and an exit code.

    With `debug`, an unexpected exception is raised again, with its traceback.
    """
    try:
        yield
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(EXIT_WRONG_USAGE)
    except click.UsageError as error:
        print_message(f"{error.format_message().rstrip('.')}{_help_of(error)}")
        sys.exit(EXIT_WRONG_USAGE)
    except click.ClickException as error:
        print_message(error.format_message())
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except ConfigError as error:
        for problem in error.problems:
            print_message(str(problem))
        sys.exit(EXIT_WRONG_USAGE)
    except BeatError as error:
        print_message(str(error))
        sys.exit(EXIT_FAILED)
    except BrokenPipeError:
        # `beatd list | head`: the reader has ended. The rest of the buffer goes to /dev/null.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
    except OSError as error:
        if debug:
            raise
        where = f"{error.filename}: " if error.filename else ""
        print_message(f"{where}{(error.strerror or str(error)).lower()}")
        sys.exit(EXIT_FAILED)
    except Exception as error:
        if debug:
            raise
        kind = type(error).__name__
        print_message(
            f"unexpected {kind}: {' '.join(str(error).split())[:300]} (--debug shows where)"
        )
        sys.exit(EXIT_FAILED)


def print_message(text: str, colour: str = "red") -> None:
    """Print one line on stderr, with control characters escaped and passwords hidden."""
    line = visible(" ".join(hidden(text).split("\n")))
    colours = None if may_have_colours() else False
    click.echo(f"{click.style('beatd:', fg=colour)} {line}", err=True, color=colours)


def _help_of(error: click.UsageError) -> str:
    return f" (see {error.ctx.command_path} --help)" if error.ctx else ""
