"""Name the user who runs a command."""

import getpass
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from beatd.changes import Author, Via

NOTE_CHARACTERS_MAX = 500


def author() -> str:
    """Return the current user and host, such as "ann@host-1"."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no such user, as in some containers
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def author_with(note: str = "", via: "Via" = "command") -> "Author":
    """Return the current user as the author of a change, with the note that they gave."""
    from beatd.changes import Author

    return Author(author(), via, note)


def takes_note(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with the option --note. The command gets its value as `note`."""
    return click.option(
        "--note",
        metavar="TEXT",
        default="",
        callback=_checked,
        help="Why; `beatd changes` shows it.",
    )(command)


def _checked(context: click.Context, option: click.Parameter, text: str) -> str:
    """Return the note in one line. Raises click.BadParameter if it is too long."""
    note = " ".join(text.split())
    if len(note) > NOTE_CHARACTERS_MAX:
        raise click.BadParameter(
            f"the note has {len(note)} characters; at most {NOTE_CHARACTERS_MAX} are kept"
        )
    return note
