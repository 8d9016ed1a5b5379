"""The command line of beatd; each command is a module, `list` and `next` included."""

from beatd.cli.commands import main

__all__ = ["main"]
