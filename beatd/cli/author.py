"""Name the user who runs a command."""

import getpass
import os
import socket


def author() -> str:
    """Return the current user and host, such as "ann@host-1"."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no such user, as in some containers
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
