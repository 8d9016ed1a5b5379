"""`beatd check` names what monitors and traces of entries lack."""

from pathlib import Path

import pytest

from tests.cli.conftest import Beatd

HEAD = 'broker: {url: "memory://"}\nstore: {url: "sqlite:///beatd.db"}\n'
SENTRY = "monitors: {sentry: {dsn_file: dsn}}\n"
ENTRIES = (
    "entries:\n"
    "  a: {task: t, every: 30s, monitor: {sentry: true}, trace: true}\n"
    "  b: {task: t, every: 1h, monitor: {sentry: true}, trace: true}\n"
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "dsn").write_text("https://0123456789abcdef0123456789abcdef@sentry.example/42")
    return tmp_path / "config.yaml"


def test_check_warns_of_schedules_that_sentry_cannot_have(beatd: Beatd, config: Path) -> None:
    config.write_text(HEAD + SENTRY + ENTRIES)
    checked = beatd("check", "-c", config)
    assert checked.code == 0 and checked.out.count("warning: entries") == 1
    assert "entries.a.monitor: Sentry cannot have this schedule" in checked.out


def test_check_names_the_libraries_that_are_missing(
    beatd: Beatd, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beatd.cli.monitor_check.find_spec", lambda name: None)
    config.write_text(HEAD + SENTRY + ENTRIES)
    assert "pip install 'beatd[sentry]'" in (out := beatd("check", "-c", config).out)
    assert "beatd[traces]" not in out, "no endpoint is named"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    assert "pip install 'beatd[traces]'" in beatd("check", "-c", config).out
