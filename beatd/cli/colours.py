"""Decide whether the output of commands may have colours."""

import os


def may_have_colours() -> bool:
    """Return False if NO_COLOR is set or the terminal is a dumb one (TERM=dumb), else True.

    Output that does not go to a terminal has no colours in any case.
    """
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
