"""Check whether workers receive Celery's remote control. A running task is revoked by remote
control."""

from celery import Celery

from beatd.publishers.transports import kind_of


def remote_control_missing(app: Celery) -> str:
    """Return the reason why the app's workers receive no remote control, or "" if they do receive
    it. The result is "" also for a broker URL that cannot be used, because other checks report such
    a URL. This function connects to no server."""
    if not app.conf.worker_enable_remote_control:
        return "the app's setting worker_enable_remote_control is off"
    try:
        # A worker listens to remote control under the same condition.
        has_fanout = app.connection_for_write().supports_exchange_type("fanout")
    except Exception:  # a transport without its library may raise anything
        return ""
    return "" if has_fanout else f"a broker like {kind_of(app)} has none"
