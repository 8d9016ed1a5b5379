"""The command line of beatd, in which each module has one command.

So `list` and `next` are names of modules here.
"""

from beatd.cli.commands import main

__all__ = ["main"]
