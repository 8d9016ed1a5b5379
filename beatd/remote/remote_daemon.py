"""A running daemon that a command with the option `--url` connects to."""

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from beatd.clock import Clock
from beatd.remote.api import Api
from beatd.remote.daemon_url import DaemonUrl
from beatd.remote.remote_parts import roles_over
from beatd.store import Roles


class RemoteDaemon:
    """The daemon that a command with `--url` works on; the first use connects to its API."""

    def __init__(self, where: DaemonUrl, clock: Clock, timeout_s: float) -> None:
        self._where, self._clock, self._timeout_s = where, clock, timeout_s

    @cached_property
    def api(self) -> Api:
        """The client of the daemon's API, after a first request that checks the token.

        Raises BeatError if the token is refused or the daemon has no API.
        """
        api = Api(self._where, timeout_s=self._timeout_s)
        self._about = api.get("whoami")
        self._asked_at = self._clock.elapsed()
        return api

    @property
    def timezone(self) -> str:
        """The name of the time zone in the daemon's configuration."""
        return str(self._known().get("timezone", "UTC"))

    def now(self) -> datetime:
        """Return the time of the daemon's store, or of this machine if the store cannot be
        reached."""
        text = self._known().get("now")
        if text is None:
            return self._clock.now()
        age = timedelta(seconds=self._clock.elapsed() - self._asked_at)
        return datetime.fromisoformat(text) + age

    def roles(self) -> Roles:
        """Return an object with the interface of an open store that uses the daemon's API."""
        return roles_over(self.api, self.now)

    def _known(self) -> dict[str, Any]:
        _ = self.api
        return self._about
