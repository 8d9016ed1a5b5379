"""Request the URL of an external monitor, such as healthchecks.io."""

from beatd.notifiers.http_request import TIMEOUT_S, request


class HeartbeatUrl:
    """Requests one URL of a monitor when called. The URL is secret, so it is never shown."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url, self._timeout_s = url, timeout_s

    def __call__(self) -> None:
        """Send a GET request to the URL, or raise NotDelivered if that fails."""
        request(self._url, {"User-Agent": "beatd"}, None, self._timeout_s)
