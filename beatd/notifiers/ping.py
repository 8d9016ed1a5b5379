"""Report the start, success, failure and retries of a run to a monitor such as healthchecks.io."""

from urllib.parse import urlsplit, urlunsplit

from beatd.monitors.check_in import CheckIn, CheckInState
from beatd.notifiers.http_request import TIMEOUT_S, request

#: Which path below the entry's URL is requested; the monitor matches a run's pings by their `rid`.
PATHS: dict[CheckInState, str] = {"start": "/start", "success": "", "fail": "/fail", "log": "/log"}
TEXT_MAX_BYTES = 10_000


class PingMonitor:
    """Reports each run to the URL `monitor.ping` of its entry, with the task id as run id."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s

    def wants(self, check_in: CheckIn) -> bool:
        monitor = check_in.entry.monitor
        return monitor is not None and bool(monitor.ping) and check_in.state in PATHS

    def send(self, check_in: CheckIn) -> None:
        assert check_in.entry.monitor is not None, "only wanted check-ins are sent"
        url = ping_url(check_in.entry.monitor.ping, PATHS[check_in.state], check_in.task_id)
        body = check_in.text.encode()[:TEXT_MAX_BYTES]
        headers = {"User-Agent": "beatd", "Content-Type": "text/plain; charset=utf-8"}
        request(url, headers, body, self._timeout_s)

    def close(self) -> None:
        pass


def ping_url(url: str, path: str, task_id: str) -> str:
    """Return `url` with `path` appended to its path and `rid=TASK_ID` added to its query."""
    parts = urlsplit(url)
    query = f"{parts.query}&rid={task_id}" if parts.query else f"rid={task_id}"
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, query, ""))
