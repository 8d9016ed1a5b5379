"""Notice changed settings of a configuration file that a running daemon does not use yet."""

import logging

from beatd.config import Config
from beatd.schedules.speech import joined

log = logging.getLogger("beatd")


class StartSettings:
    """The settings that a daemon uses from its start on, such as the sections `http` and `alerts`.

    If the file changes them, the daemon has to read the whole configuration again.
    """

    def __init__(self, config: Config) -> None:
        self._shown = config.shown
        self._used = self._in_file = config.start_settings

    @property
    def needs_reload(self) -> tuple[str, ...]:
        """The names of the settings that are different in the file and in this daemon."""
        return tuple(
            name for name, used in self._used.items() if self._in_file.get(name, used) != used
        )

    def compare(self, config: Config) -> None:
        """Compare with `config`, which was read from the same file, and log a change once."""
        before, self._in_file = self._in_file, config.start_settings
        if self._in_file == before:
            return
        if names := self.needs_reload:
            verb = "differs" if len(names) == 1 else "differ"
            log.warning(
                "%s: %s %s from what this daemon started with; "
                "reload it (SIGHUP) or restart it to use the new settings",
                self._shown,
                joined(names),
                verb,
            )
        else:
            log.info("%s: no setting differs any more from those of the start", self._shown)
