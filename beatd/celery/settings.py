"""Read beatd's settings, such as beatd_store_url, from a Celery app."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from beatd.config import Config, Store, without_file
from beatd.definition.kinds import choice, duration, text
from beatd.errors import ConfigError

#: setting -> its meaning
SETTINGS = {
    "beatd_store_url": "where entries, plan and history are kept; a shelve file when left out",
    "beatd_lock_url": "where the lock is; the store's when left out",
    "beatd_lock_ttl": "how long a dead leader holds it: 2s",
    "beatd_prefix": "what keys in Redis begin with: beatd:",
    "beatd_name": "the owner of what the app declares: config",
    "beatd_history_keep": "how long history is kept: 7d",
    "beatd_outcomes": "who knows what became of runs: reports, results or off",
    "beatd_outcomes_queue": "the queue of the reports: beatd.outcomes",
}


def config_of(app: Any, schedule_filename: str | None = None, *, spelled: str = "") -> Config:
    """Return the configuration that the beatd settings of a Celery app describe.

    `schedule_filename` is the schedule file of celery's own beat; the default store is a shelve
    file beside it. `spelled` is the app as the user typed it after `beatd -A`, or "". Raises
    ConfigError with the name of a wrong setting.
    """
    file = schedule_filename or app.conf.beat_schedule_filename
    # Beside celery's own file, which stays as it is for a way back to celery beat.
    store = Store(url=f"shelve:{file}.beatd")
    config = without_file(spelled or app.main or "app")
    return _with_settings(replace(config, store=store), app)


def _with_settings(config: Config, app: Any) -> Config:
    # Raises ConfigError with the name of a wrong setting.
    given = {name: setting(app, name) for name in SETTINGS}
    store, lock, history = config.store, config.lock, config.history
    if given["beatd_store_url"]:
        store = replace(store, url=str(given["beatd_store_url"]))
    if given["beatd_prefix"]:
        store = replace(store, prefix=_word("beatd_prefix", given["beatd_prefix"]))
    if given["beatd_lock_url"]:
        lock = replace(lock, url=str(given["beatd_lock_url"]))
    if given["beatd_lock_ttl"] is not None:
        ttl = _length("beatd_lock_ttl", given["beatd_lock_ttl"])
        if ttl < timedelta(milliseconds=500):
            raise ConfigError(
                f"beatd_lock_ttl: {given['beatd_lock_ttl']!r} is too short to renew in; "
                "give 0.5s or more"
            )
        lock = replace(lock, ttl=ttl)
    if given["beatd_history_keep"] is not None:
        keep = _length("beatd_history_keep", given["beatd_history_keep"])
        history = replace(history, keep=keep)
    outcomes = config.outcomes
    if given["beatd_outcomes"] is not None:
        outcomes = replace(outcomes, read_from=_choice("beatd_outcomes", given["beatd_outcomes"]))
    if given["beatd_outcomes_queue"]:
        queue = _word("beatd_outcomes_queue", given["beatd_outcomes_queue"])
        outcomes = replace(outcomes, queue=queue)
    name = config.name
    if given["beatd_name"]:
        name = _word("beatd_name", given["beatd_name"])
    return replace(config, name=name, store=store, lock=lock, history=history, outcomes=outcomes)


def setting(app: Any, name: str) -> Any:
    """Return the value of a setting of the app, or None if it is not set.

    A setting may also be written in upper case, such as BEATD_STORE_URL or, under
    namespace='CELERY', CELERY_BEATD_STORE_URL.
    """
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


def _choice(name: str, value: Any) -> Any:
    try:
        return choice("reports", "results", "off").read(value, "UTC")
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None


def _word(name: str, value: Any) -> str:
    try:
        return str(text("a word", 100).read(value, "UTC"))
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
