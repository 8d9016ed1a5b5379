"""Check whether workers can be told to end a running task, by Celery's remote control."""

from celery import Celery

from beatd.publishers.transports import kind_of


def remote_control_missing(app: Celery) -> str:
    """Return why the app's workers receive no remote control, or "" if they do.

    Connects to no server. The result is "" for an invalid broker URL, which other checks report.
    """
    if not app.conf.worker_enable_remote_control:
        return "the app's setting worker_enable_remote_control is off"
    try:
        # A worker listens to remote control under the same condition.
        has_fanout = app.connection_for_write().supports_exchange_type("fanout")
    except Exception:  # a transport without its library may raise anything
        return ""
    return "" if has_fanout else f"a broker like {kind_of(app)} has none"
