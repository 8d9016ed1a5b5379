"""The command line. Each command is a module of its own, also `list` and `next`."""

from beatd.cli.commands import main

__all__ = ["main"]
