"""The section `alerts`, and `alert` of an entry."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from beatd.config import examine
from beatd.config.values import Alerts
from beatd.definition import check, entry_from, plain_of
from beatd.entry import Alert
from beatd.secret import hidden

Write = Callable[[str, str], Path]
START = "broker: redis://localhost\n"


def problems(path: Path) -> list[str]:
    return [str(problem).partition(": ")[2] for problem in examine(path, environment={}).problems]


def test_without_the_section_there_are_no_alerts_and_an_empty_one_is_on(write: Write) -> None:
    for text, expected in (("", None), ("alerts:\n", None), ("alerts: {}\n", Alerts())):
        config = examine(write("c.yaml", START + text), environment={}).config
        assert config is not None and config.alerts == expected


def test_everything_can_be_set(write: Write) -> None:
    write("secret", "whsec_c2VjcmV0c2VjcmV0\n")
    text = """alerts:
      to: ["https://example.com/hook/tokenabc123", "mailto://me:hunter2word@mail.example"]
      wait: 10s
      again: 12h
      heartbeat: "https://hc.example/5d6f7a8b-1234"
      secret_file: secret
    """
    found = examine(write("c.yaml", START + text), environment={})
    assert found.problems == () and found.config is not None
    alerts = found.config.alerts
    assert alerts is not None and len(alerts.to) == 2
    assert (alerts.wait, alerts.again) == (timedelta(seconds=10), timedelta(hours=12))
    assert alerts.secret == "whsec_c2VjcmV0c2VjcmV0"
    shown = hidden(f"{alerts!r} {alerts.to} {alerts.heartbeat} {alerts.secret}")
    for word in ("tokenabc123", "hunter2word", "5d6f7a8b-1234", "c2VjcmV0c2VjcmV0"):
        assert word not in shown and word not in repr(found.config)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{to: [mail]}", "alerts.to: number 1 is not a URL"),
        ("{to: ['https://a b']}", "alerts.to: number 1 has blanks"),
        ("{to: {a: b}}", "alerts.to: is not a list of URLs"),
        ("{wait: 0s}", "alerts.wait: '0s' is nothing"),
        ("{heartbeat: 'mailto://x'}", "alerts.heartbeat: is not a URL that can be pinged"),
        ("{heartbeat: hc.example/x}", "alerts.heartbeat: is not a URL that can be pinged"),
        ("{heartbeat: 'https://a b'}", "alerts.heartbeat: has blanks"),
        ("{secret_file: nowhere}", "alerts.secret_file: 'nowhere' cannot be read"),
        ("{two: 1}", "alerts.two: is not a setting of alerts; did you mean to?"),
    ],
)
def test_what_is_wrong_is_told_without_the_url(write: Write, text: str, said: str) -> None:
    (told,) = problems(write("c.yaml", f"{START}alerts: {text}\n"))
    assert told.startswith(said)


# alert of an entry

GOOD = {"task": "t", "every": "1h"}


def told(alert: Any, **more: Any) -> list[str]:
    return [str(problem) for problem in check("a", {**GOOD, "alert": alert, **more}).problems]


def test_an_entry_replaces_the_default_as_a_whole() -> None:
    defaults = {"alert": {"failed": 3, "missing": "26h"}}
    assert entry_from("a", GOOD, defaults=defaults).alert == Alert(
        failed=3, missing=timedelta(hours=26)
    )
    own = entry_from("a", {**GOOD, "alert": {"late": "1m"}}, defaults=defaults)
    assert own.alert == Alert(late=timedelta(minutes=1))
    assert entry_from("a", {**GOOD, "alert": {}}, defaults=defaults).alert == Alert()
    assert entry_from("a", {**GOOD, "alert": None}, defaults=defaults).alert is None


def test_it_is_written_back_as_it_was() -> None:
    alert = {"failed": 2, "recovered": 3, "late": "1m30s", "missing": "1d2h", "running": "2h"}
    assert plain_of(entry_from("a", {**GOOD, "alert": alert}))["alert"] == alert
    assert plain_of(entry_from("a", {**GOOD, "alert": {}}))["alert"] == {}
    assert "alert" not in plain_of(entry_from("a", GOOD))


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        ({"fail": 1}, "alert: 'fail' is not one of its keys; did you mean failed?"),
        ({"failed": 0}, "alert: failed: 0 is out of range; 1 or more will do"),
        ({"late": "5x"}, "alert: late: '5x' is not a duration"),
        ({"missing": 0}, "alert: missing: 0 is nothing"),
        (3, "alert: 3 is not a mapping; write it like {failed: 3, missing: 26h}"),
    ],
)
def test_what_is_wrong_in_it_is_told(alert: Any, said: str) -> None:
    (problem,) = told(alert)
    assert problem.startswith(said)


def test_what_has_no_effect_is_a_warning() -> None:
    (first,) = told({"recovered": 3})
    assert "counts only with failed" in first
    (second,) = told({"late": "1m"}, jitter="2m")
    assert "is not longer than jitter" in second
