"""Notice that the terminal in whose foreground the daemon was started has gone."""

import os
import stat

STANDARD_STREAMS = (2, 1, 0)


class ForegroundTerminal:
    """The terminal in whose foreground this process was started, if it was started so.

    The kernel sends SIGHUP when that terminal is closed, which must not be taken for the wish to
    reload. A daemon that was started in the background, by systemd or with nohup has none.
    """

    def __init__(self) -> None:
        self._stream = next((one for one in STANDARD_STREAMS if _is_in_foreground(one)), None)

    def is_gone(self) -> bool:
        """Return True if there was such a terminal and it was closed."""
        return self._stream is not None and not os.isatty(self._stream)

    def leave(self) -> None:
        """Discard what the daemon prints from now on, so that it can end without an error."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in STANDARD_STREAMS:
            if not _is_usable(stream):
                os.dup2(nowhere, stream)
        os.close(nowhere)


def _is_usable(stream: int) -> bool:
    """Return False if the stream is a terminal that was closed."""
    try:
        return os.isatty(stream) or not stat.S_ISCHR(os.fstat(stream).st_mode)
    except OSError:
        return True  # closed by whoever started the process


def _is_in_foreground(stream: int) -> bool:
    """Return True if the stream is a terminal, and this process is in its foreground."""
    try:
        return os.tcgetpgrp(stream) == os.getpgrp()
    except OSError:  # no terminal, or closed
        return False
