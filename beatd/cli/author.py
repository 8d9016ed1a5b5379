"""Name the person who typed a command."""

import getpass
import os
import socket


def author() -> str:
    """Return the user and the host of this process, such as "ann@host-1"."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no such user, as in some containers
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
