"""Request the URL of a monitor elsewhere, such as healthchecks.io."""

from beatd.notifiers.http_request import TIMEOUT_S, request


class HeartbeatUrl:
    """Requests one URL; `shown` would be its secret, so it has none."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url, self._timeout_s = url, timeout_s

    def __call__(self) -> None:
        """Request the URL, or raise NotDelivered."""
        request(self._url, {"User-Agent": "beatd"}, None, self._timeout_s)
