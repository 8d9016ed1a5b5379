"""beatd's settings in a Celery app: beatd_store_url and its like, in every style celery reads."""

from datetime import timedelta
from typing import Any

from beatd.config import Config, History, Lock, Store
from beatd.definition.kinds import duration, text
from beatd.errors import ConfigError

#: setting -> what it is
SETTINGS = {
    "beatd_store_url": "where entries, plan and history are kept; a shelve file when left out",
    "beatd_lock_url": "where the lock is; the store's when left out",
    "beatd_lock_ttl": "how long a dead leader holds it: 2s",
    "beatd_prefix": "what keys in Redis begin with: beatd:",
    "beatd_name": "the owner of what the app declares: config",
    "beatd_history_keep": "how long history is kept: 7d",
}


def config_of(app: Any, schedule_filename: str | None = None) -> Config:
    """The configuration that an app's settings amount to; ConfigError names the setting."""
    given = {name: setting(app, name) for name in SETTINGS}
    file = schedule_filename or app.conf.beat_schedule_filename
    # Beside celery's own file and never in it, so that there is a way back.
    store = given["beatd_store_url"] or f"shelve:{file}.beatd"
    lock: dict[str, Any] = {"url": given["beatd_lock_url"] or None}
    if given["beatd_lock_ttl"] is not None:
        lock["ttl"] = _length("beatd_lock_ttl", given["beatd_lock_ttl"])
        if lock["ttl"] < timedelta(milliseconds=500):
            raise ConfigError("beatd_lock_ttl: too short to renew in; 0.5s or more")
    history: dict[str, Any] = {}
    if given["beatd_history_keep"] is not None:
        history["keep"] = _length("beatd_history_keep", given["beatd_history_keep"])
    named: dict[str, Any] = {}
    if given["beatd_name"]:
        named["name"] = _word("beatd_name", given["beatd_name"])
    place: dict[str, Any] = {"url": str(store)}
    if given["beatd_prefix"]:
        place["prefix"] = _word("beatd_prefix", given["beatd_prefix"])
    return Config(
        app=app.main or "app",
        store=Store(**place),
        lock=Lock(**lock),
        history=History(**history),
        shown="-A",
        **named,
    )


def setting(app: Any, name: str) -> Any:
    """beatd_store_url, BEATD_STORE_URL, and CELERY_BEATD_STORE_URL under namespace='CELERY'."""
    for spelled in (name, name.upper()):
        value = app.conf.get(spelled)
        if value is not None:
            return value
    return None


def _length(name: str, value: Any) -> timedelta:
    try:
        length: timedelta = duration(above_zero=True).read(value, "UTC")
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
    return length


def _word(name: str, value: Any) -> str:
    try:
        return str(text("a word", 100).read(value, "UTC"))
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
