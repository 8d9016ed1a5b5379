"""Make the event that reports a daemon's start, for the first line of its log."""

from pathlib import Path

from celery import Celery

from beatd import __version__
from beatd.config import Config, schemes
from beatd.events import Started
from beatd.secret import hidden, masked


def started_of(config: Config, app: Celery, name: str) -> Started:
    """Return the event that reports the start of the daemon `name`, without passwords in its URLs.

    The event's `config` is the path of the configuration file, or None if no file was read.
    """
    path = Path(config.folder) / Path(config.shown).name
    host = config.http and (
        f"[{config.http.host}]" if ":" in config.http.host else config.http.host
    )
    return Started(
        name=name,
        version=__version__,
        config=str(path) if config.shown not in ("", "-A") else None,
        app=config.app,
        broker=_broker_of(app),
        store=_masked(config.store.url),
        lock=_masked(schemes.lock_url(config.store.url, config.lock.url)),
        http=f"{host}:{config.http.port}" if config.http else None,
    )


def _broker_of(app: Celery) -> str:
    """Return the URLs of the app's broker without passwords, or Celery's default URL."""
    given = app.conf.broker_write_url or app.conf.broker_url
    urls = [given] if isinstance(given, str) else list(given or ())
    if not urls:
        return hidden(app.connection_for_write().as_uri())
    return ";".join(map(_masked, urls))


def _masked(url: str) -> str:
    """Return the URL without passwords, as a plain `str` that JSON can hold."""
    return masked(str(url))
