"""Remember how this process was started, so that a reload can start it again.

A reload needs a new process if the project has a Celery app, to import the app again.
"""

import os
import sys
from contextlib import suppress
from typing import NoReturn

from beatd.daemon.trial import TRIAL_OPTION, Trial

RELOADED_VARIABLE = "BEATD_RELOADED"  # in the environment of a process that a reload started again


class ProcessStart:
    """The command, environment and working folder with which this process was started.

    Create it before a project's code can change them. `is_reload` is True if a reload started this
    process.
    """

    def __init__(self) -> None:
        self.is_reload = os.environ.pop(RELOADED_VARIABLE, None) is not None
        self._command = [sys.executable, *sys.orig_argv[1:]]
        self._environment, self._folder = dict(os.environ), os.getcwd()  # noqa: PTH109  # a text

    def start_again(self) -> NoReturn:
        """Replace this process by the same program, started from the beginning.

        Signals stay blocked, so that none is lost. Raise OSError on failure.
        """
        for stream in (sys.stdout, sys.stderr):
            # None where it was closed at the start; its pipe may have no reader, its disk no room.
            if stream is not None:
                with suppress(OSError):
                    stream.flush()
        os.chdir(self._folder)
        os.execve(sys.executable, self._command, {**self._environment, RELOADED_VARIABLE: "1"})

    def trial(self) -> Trial:
        """Start a process that tries the new configuration, and return its `Trial`.

        Raise OSError if no process can be started.
        """
        return Trial([*self._command, TRIAL_OPTION], self._environment, self._folder)
