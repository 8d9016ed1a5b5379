"""Find out whether the broker of an app carries Celery's remote control, with which a running task
is revoked."""

from celery import Celery

from beatd.publishers.transports import kind_of


def remote_control_missing(app: Celery) -> str:
    """Return the reason why the app's workers receive no remote control, or "" if they do. No
    server is asked. A broker URL that cannot be used is no reason: other checks report it."""
    if not app.conf.worker_enable_remote_control:
        return "the app's setting worker_enable_remote_control is off"
    try:
        # A worker listens to remote control under the same condition.
        has_fanout = app.connection_for_write().supports_exchange_type("fanout")
    except Exception:  # a transport without its library may raise anything
        return ""
    return "" if has_fanout else f"a broker like {kind_of(app)} has none"
