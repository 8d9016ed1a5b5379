"""Report runs to Sentry Crons with sentry-sdk, which is imported at the first report."""

from typing import Any, Literal

from beatd.alerts.channel import NotDelivered
from beatd.definition.sentry_monitor import monitor_config, slug_of
from beatd.monitors.check_in import CheckIn, CheckInState

Status = Literal["in_progress", "ok", "error"]
CLOSE_S = 0.2  # that the end of the daemon may wait for the last check-ins
STATUSES: dict[CheckInState, Status] = {
    "published": "in_progress",
    "success": "ok",
    "fail": "error",
}


class SentryMonitor:
    """Reports runs to the Sentry project of a DSN, with a Sentry client of its own."""

    def __init__(self, dsn: str, *, environment: str | None = None) -> None:
        self._dsn, self._environment = dsn, environment
        self._client: Any = None

    def wants(self, check_in: CheckIn) -> bool:
        monitor = check_in.entry.monitor
        return monitor is not None and monitor.sentry and check_in.state in STATUSES

    def send(self, check_in: CheckIn) -> None:
        if self._client is None:
            # Its own client, to leave an app alone that uses Sentry in the same process.
            self._client = self._new_client()
        event: dict[str, Any] = {
            "type": "check_in",
            "monitor_slug": slug_of(check_in.entry.name),
            "check_in_id": check_in.task_id.replace("-", ""),
            "status": STATUSES[check_in.state],
            "duration": check_in.runtime,
            "environment": self._client.options["environment"],
            "release": None,
        }
        config = monitor_config(check_in.entry)
        if config is not None:
            event["monitor_config"] = config
        self._client.capture_event(event)

    def close(self) -> None:
        if self._client is not None:
            self._client.close(timeout=CLOSE_S)

    def _new_client(self) -> Any:
        try:
            from sentry_sdk import Client
        except ImportError:
            text = "sentry-sdk is missing: install beatd[sentry]"
            raise NotDelivered(text, is_final=True) from None
        return Client(
            self._dsn,
            environment=self._environment,
            default_integrations=False,
            auto_enabling_integrations=False,
            traces_sample_rate=None,
            send_client_reports=False,
            shutdown_timeout=0,
        )
