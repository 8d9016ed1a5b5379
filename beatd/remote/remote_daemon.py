"""A running daemon whose API a command uses."""

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from beatd.clock import Clock
from beatd.remote.api import Api
from beatd.remote.daemon_url import DaemonUrl
from beatd.remote.remote_parts import roles_over
from beatd.store import Roles


class RemoteDaemon:
    """The daemon at a URL. The first use asks it who the visitor is."""

    def __init__(self, where: DaemonUrl, clock: Clock, timeout_s: float) -> None:
        self._where, self._clock, self._timeout_s = where, clock, timeout_s

    @cached_property
    def api(self) -> Api:
        """The API, which accepts the token. Raises BeatError if not, or if there is none."""
        api = Api(self._where, timeout_s=self._timeout_s)
        self._about = api.get("whoami")
        self._asked_at = self._clock.elapsed()
        return api

    @property
    def timezone(self) -> str:
        """The zone of the daemon's configuration."""
        return str(self._known().get("timezone", "UTC"))

    def now(self) -> datetime:
        """Return the time of the daemon's store, or of this host if the store is away."""
        text = self._known().get("now")
        if text is None:
            return self._clock.now()
        age = timedelta(seconds=self._clock.elapsed() - self._asked_at)
        return datetime.fromisoformat(text) + age

    def roles(self) -> Roles:
        """Return the daemon's API as the parts of a store."""
        return roles_over(self.api, self.now)

    def _known(self) -> dict[str, Any]:
        _ = self.api
        return self._about
