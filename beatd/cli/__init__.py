"""The command line; each command is a module here, and so `list` and `next` are modules here."""

from beatd.cli.commands import main

__all__ = ["main"]
