"""The commands of the `beatd` program, one module for each command.

The modules `list` and `next` are named like their commands.
"""

from beatd.cli.commands import main

__all__ = ["main"]
