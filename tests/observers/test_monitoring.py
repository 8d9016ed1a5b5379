"""The alert rules and the dashboard in docs/monitoring name metrics that there are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from beatd.observers.metrics import LABELS_OF_OUTCOME, Metrics

FOLDER = Path(__file__).parents[2] / "docs" / "monitoring"
NAME = re.compile(r"\bbeatd_[a-z_]+\b")
OF_PROMETHEUS = {"up"}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return list(group["rules"])


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / "grafana.json").read_text())
    return loaded


def samples() -> set[str]:
    """Every name that the page of metrics may have."""
    found = set()
    for metric in Metrics().registry.collect():
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
        found |= {metric.name + ending for ending in endings.get(metric.type, ("",))}
    return found


def expressions() -> list[str]:
    shown = [target["expr"] for one in dashboard()["panels"] for target in one["targets"]]
    chosen = [one["definition"] for one in dashboard()["templating"]["list"] if "definition" in one]
    return [*(rule["expr"] for rule in rules()), *shown, *chosen]


@pytest.mark.parametrize("expression", expressions())
def test_every_metric_is_there(expression: str) -> None:
    named = set(NAME.findall(expression))
    assert named or any(word in expression for word in OF_PROMETHEUS)
    assert named <= samples()
    assert expression.count("(") == expression.count(")")


def test_every_rule_says_what_is_wrong_and_how_bad_it_is() -> None:
    found = rules()
    assert len({rule["alert"] for rule in found}) == len(found)
    for rule in found:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]


def test_panels_do_not_overlap_and_have_their_own_numbers() -> None:
    panels = dashboard()["panels"]
    assert len({one["id"] for one in panels}) == len(panels)
    seen: set[tuple[int, int]] = set()
    for one in panels:
        at = one["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & seen and at["x"] + at["w"] <= 24
        seen |= cells


def test_labels_of_the_expressions_are_labels_of_the_metrics() -> None:
    states = {state for state, _ in LABELS_OF_OUTCOME.values()} | {"skipped"}
    for text in re.findall(r'state=~?"([a-z|]+)"', "\n".join(expressions())):
        assert set(text.split("|")) <= states
