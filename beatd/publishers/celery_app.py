"""Load the project's Celery app, or make a bare app for a broker URL."""

import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from celery import Celery
from celery.app.utils import find_app

from beatd.errors import ConfigError
from beatd.secret import hidden, learn, learn_options, learn_url

SETTINGS = {
    "url": "broker_url",
    "transport_options": "broker_transport_options",
    "ssl": "broker_use_ssl",
    "login_method": "broker_login_method",
    "failover_strategy": "broker_failover_strategy",
}


def app_for(broker: Mapping[str, Any], *, timezone: str = "UTC") -> Celery:
    """Return a Celery app without tasks for the `broker:` section of the configuration.

    From then on, logs and errors hide its passwords. Raises ConfigError if the URL is missing or a
    setting is unknown.
    """
    settings = settings_of(broker)
    if not settings.get("broker_url"):
        raise ConfigError("broker.url: missing; try redis://localhost:6379/0")
    app = Celery("beatd", set_as_current=False)
    app.conf.update(timezone=timezone, **settings)
    _learn_passwords(app)
    return app


def load_app(spelling: str, *, broker: Mapping[str, Any] | None = None) -> Celery:
    """Load the Celery app that `celery -A` finds under the same name, and import its tasks.

    Settings in `broker`, the `broker:` section of the configuration, replace those of the app. From
    then on, logs and errors hide its passwords. Raises ConfigError if the app cannot be loaded.
    """
    settings = settings_of(broker or {})
    try:
        app = find_app(spelling)
        app.conf.update(settings)
        _learn_passwords(app)
        app.loader.init_worker()
        app.finalize()
    except Exception as error:
        # The code of a project runs at its import, and may raise anything.
        reason = " ".join(hidden(str(error)).split())
        module, _, attribute = spelling.partition(":")
        if attribute and reason == f"No module named {spelling!r}":
            reason = f"{module} has no {attribute}"  # celery takes it for a module in the end
        raise ConfigError(
            f"app: {spelling!r} cannot be loaded ({type(error).__name__}: {reason}); "
            "try MODULE:ATTRIBUTE, as for celery -A"
        ) from error
    return app


def _learn_passwords(app: Celery) -> None:
    for name in ("broker_url", "broker_read_url", "broker_write_url", "result_backend"):
        urls = app.conf.get(name) or ()
        for url in [urls] if isinstance(urls, str) else urls:
            if isinstance(url, str):
                learn_url(url)
    for name in ("broker_transport_options", "result_backend_transport_options"):
        learn_options(app.conf.get(name))
    for name in ("broker_password", "redis_password"):
        if app.conf.get(name):
            learn(str(app.conf.get(name)))


def settings_of(broker: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the `broker:` section of the configuration to celery's settings.

    For example, `url` becomes `broker_url`. Raises ConfigError for an unknown setting.
    """
    unknown = sorted(set(broker) - set(SETTINGS))
    if unknown:
        raise ConfigError(f"broker.{unknown[0]}: unknown; known are {', '.join(SETTINGS)}")
    settings = {SETTINGS[key]: value for key, value in broker.items() if value is not None}
    if isinstance(broker.get("ssl"), Mapping):
        settings["broker_use_ssl"] = {k: _checks(k, v) for k, v in broker["ssl"].items()}
    if "broker_url" in settings:
        # An app may have a URL for writing that differs from that for reading.
        settings["broker_write_url"] = settings["broker_read_url"] = settings["broker_url"]
    return settings


def _checks(key: str, value: Any) -> Any:
    """Convert a `cert_reqs` option such as "required" to the constant of Python's ssl module.

    Return the value of any other TLS option unchanged. Raises ConfigError for an unknown word.
    """
    words = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
    if not key.endswith("cert_reqs") or not isinstance(value, str):
        return value
    if value.lower() not in words:
        raise ConfigError(f"broker.ssl.{key}: {value!r}; try one of {', '.join(words)}")
    return words[value.lower()]


def import_for_sending(app: Celery) -> None:
    """Import the modules that celery needs to send its first message.

    So the first run is not delayed. Errors are ignored: sending reports them later.
    """
    with suppress(Exception):  # an error of the app is reported when a message is sent
        app.finalize()
        for part in (app.amqp, app.events):
            for name in ("router", "create_task_message", "Dispatcher"):
                getattr(part, name, None)
        app.backend.on_task_call  # noqa: B018
