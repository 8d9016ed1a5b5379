"""beatd's settings in a Celery app, in every style celery reads."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from beatd.celery.scheduler import BeatdScheduler
from beatd.celery.settings import config_of
from beatd.cli.config_option import ConfigOption
from beatd.errors import ConfigError
from tests.celery_app import app_of


@pytest.mark.parametrize(
    "configure",
    [
        lambda app: app.conf.update(beatd_store_url="redis://x/1"),
        lambda app: app.conf.update(BEATD_STORE_URL="redis://x/1"),
        lambda app: app.config_from_object({"BEATD_STORE_URL": "redis://x/1"}),
        lambda app: app.config_from_object(
            {"CELERY_BEATD_STORE_URL": "redis://x/1"}, namespace="CELERY"
        ),
        lambda app: app.config_from_object(
            {"BEATD_STORE_URL": "redis://x/1", "CELERYBEAT_SCHEDULE_FILENAME": "f"}
        ),
    ],
    ids=["lower", "upper", "object", "namespace", "old style"],
)
def test_settings_are_read_in_every_style(configure: Callable[[Celery], Any]) -> None:
    app = Celery("proj", broker="memory://", set_as_current=False)
    configure(app)
    assert config_of(app).store.url == "redis://x/1"


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(ConfigError, match="beatd_lock_ttl"):
        config_of(app_of(beatd_lock_ttl="soon"))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"beat_schedule_filename": "/srv/run/file"},
        {"beatd_store_url": "redis://x/1", "beatd_lock_url": "redis://y/2", "beatd_name": "team"},
    ],
)
def test_a_daemon_on_an_app_and_celery_beat_have_one_store(
    settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = f"settled_{len(settings)}_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{module}.py").write_text(
        "from celery import Celery\n"
        "app = Celery('proj', broker='memory://', set_as_current=False)\n"
        f"app.conf.update({settings!r})\n"
    )
    daemon = ConfigOption(app=module).load()
    beat = BeatdScheduler(app_of(**settings), lazy=True).config
    assert daemon.app == module
    assert (daemon.store, daemon.lock, daemon.name) == (beat.store, beat.lock, beat.name)


def test_outcomes_have_settings_too() -> None:
    assert config_of(app_of()).outcomes.read_from == "reports"
    named = config_of(app_of(beatd_outcomes="off", beatd_outcomes_queue="mine")).outcomes
    assert (named.read_from, named.queue) == ("off", "mine")
    with pytest.raises(ConfigError, match="beatd_outcomes"):
        config_of(app_of(beatd_outcomes="sometimes"))
