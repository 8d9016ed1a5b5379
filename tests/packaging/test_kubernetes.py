"""The chart and the plain manifests: valid, equal in what matters, and they run a daemon."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import helm_python
import kubernetes_validate
import pytest
import yaml

from tests.databases import postgresql_url as postgresql_url
from tests.packaging.archives import ROOT
from tests.process import Process
from tests.run.servers import free_port
from tests.waiting import until

CHART = ROOT / "deploy" / "helm"
PLAIN = ROOT / "deploy" / "kubernetes"
VERSIONS = (
    "1.27",
    "1.32",
    "1.37",
)  # of Kubernetes: the oldest that the chart allows, to the newest
OTHER_KINDS = {"ServiceMonitor"}  # of an operator, and unknown to Kubernetes itself

Values = Mapping[str, Any]
EVERYTHING: Values = {
    "replicaCount": 3,
    "image": {"repository": "registry.example.org/beatd", "tag": "1.2.3", "pullPolicy": "Always"},
    "imagePullSecrets": [{"name": "pull"}],
    "entries": {"tidy": {"task": "proj.tidy", "cron": "30 2 * * *", "args": ["a: b", 2]}},
    "env": [{"name": "A", "value": "1"}],
    "envFrom": [{"secretRef": {"name": "more"}}],
    "service": {"port": 80, "annotations": {"a/b": "c"}},
    "serviceMonitor": {"enabled": True, "interval": "30s", "labels": {"release": "prom"}},
    "networkPolicy": {
        "enabled": True,
        "from": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
    },
    "podLabels": {"team": "a"},
    "podAnnotations": {"x": "y"},
    "priorityClassName": "high",
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "k", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "config": {"http": {"bind": "[::]:8080", "tls": {"cert": "/c", "key": "/k"}}},
}
CLOSED: Values = {"networkPolicy": {"enabled": True}}


def rendered(values: Values | None = None, name: str = "beatd") -> list[dict[str, Any]]:
    with helm_python.Chart.load(CHART) as chart:
        made = chart.render(dict(values or {}), name=name, namespace="jobs")
    texts = [text for path, text in made.items() if path.endswith(".yaml")]
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def plain() -> list[dict[str, Any]]:
    texts = [path.read_text() for path in sorted(PLAIN.glob("*.yaml"))]
    return [one for text in texts for one in yaml.safe_load_all(text)]


def one_of(kind: str, manifests: list[dict[str, Any]], suffix: str = "") -> dict[str, Any]:
    (found,) = (
        one for one in manifests if one["kind"] == kind and one["metadata"]["name"].endswith(suffix)
    )
    return found


def test_the_linter_has_nothing_to_say() -> None:
    told = helm_python.lint(CHART, strict=True)
    assert not told.get("errors") and not [
        one for one in told.get("messages", []) if "icon" not in str(one)
    ], told


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "values", [{}, EVERYTHING, CLOSED], ids=["default", "everything", "closed"]
)
def test_the_chart_is_valid(values: Values, version: str) -> None:
    for manifest in rendered(values):
        if manifest["kind"] not in OTHER_KINDS:
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_plain_manifests_are_valid(version: str) -> None:
    assert {one["kind"] for one in plain()} >= {"Deployment", "Service", "ConfigMap"}
    for manifest in plain():
        kubernetes_validate.validate(manifest, version, strict=True)


def spec_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what a manifest asks for, without labels and annotations."""

    def bare(value: Any) -> Any:
        if isinstance(value, list):
            return [bare(one) for one in value]
        if not isinstance(value, dict):
            return value
        left_out = {"labels", "annotations", "matchLabels", "metadata"}
        if set(value) == {"app.kubernetes.io/name"}:
            return {}
        kept = {key: bare(one) for key, one in value.items() if key not in left_out}
        return {key: one for key, one in kept.items() if one != {"app.kubernetes.io/name": "beatd"}}

    made: dict[str, Any] = bare(manifest)
    if "selector" in made.get("spec", {}):
        del made["spec"]["selector"]
    return made


@pytest.mark.parametrize("kind", ["Deployment", "Service", "PodDisruptionBudget", "ServiceAccount"])
def test_the_plain_manifests_ask_for_the_same_as_the_chart(kind: str) -> None:
    assert spec_of(one_of(kind, plain())) == spec_of(one_of(kind, rendered()))


def test_the_configurations_are_the_same() -> None:
    for suffix, key in (("-config", "config.yaml"), ("-schedules", "entries.yaml")):
        by_chart = one_of("ConfigMap", rendered(), suffix)["data"][key]
        by_hand = one_of("ConfigMap", plain(), suffix)["data"][key]
        assert yaml.safe_load(by_chart) == yaml.safe_load(by_hand)


def test_labels_of_the_service_select_the_pods() -> None:
    for manifests in (plain(), rendered(), rendered(EVERYTHING, "other")):
        selector = one_of("Service", manifests)["spec"]["selector"]
        template = one_of("Deployment", manifests)["spec"]["template"]
        assert selector.items() <= template["metadata"]["labels"].items()
        deployment = one_of("Deployment", manifests)["spec"]["selector"]["matchLabels"]
        assert deployment.items() <= template["metadata"]["labels"].items()


def test_a_changed_configuration_replaces_the_pods_and_changed_entries_do_not() -> None:
    def template(values: Values) -> Any:
        return one_of("Deployment", rendered(values))["spec"]["template"]

    usual = template({})
    assert template({"entries": {"a": {"task": "t", "every": "1h"}}}) == usual
    assert template({"config": {"log": {"level": "debug"}}}) != usual


REFUSED: list[tuple[Values, str]] = [
    ({"config": {"store": {"url": "sqlite:///beatd.db"}}}, "store"),
    ({"config": {"http": {"bind": "127.0.0.1:9753"}}}, "bind"),
    ({"config": {"http": {"tokens": {"a": {"role": "root", "secret_file": "x"}}}}}, "role"),
    ({"config": {"schedules": ["elsewhere/"]}}, "schedules"),
    ({"replicas": 2}, "replicas"),
    ({"replicaCount": 0}, "replicaCount"),
]


@pytest.mark.parametrize(("values", "named"), REFUSED)
def test_values_that_cannot_work_are_refused(values: Values, named: str) -> None:
    with pytest.raises(helm_python.HelmError, match=named):
        rendered(values)


# A daemon


def mount(folder: Path, data: Mapping[str, str], turn: int) -> None:
    """Write files as the kubelet mounts them: a link to a new folder replaces the old one."""
    folder.mkdir(exist_ok=True)
    behind = folder / f"..turn{turn}"
    behind.mkdir()
    for name, text in data.items():
        (behind / name).write_text(text)
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(Path("..data") / name)
    fresh = folder / "..data_tmp"
    fresh.symlink_to(behind.name)
    fresh.rename(folder / "..data")


@pytest.fixture
def pod(
    tmp_path: Path, server: Callable[[str], tuple[str, int]], postgresql_url: str
) -> Iterator[tuple[Process, int]]:
    """A daemon with what the chart mounts into its pod, and its port."""
    port, manifests = free_port(), rendered({"entries": {"tidy": {"task": "t", "every": "1h"}}})
    folder = tmp_path / "etc" / "beatd"
    folder.mkdir(parents=True)
    config = one_of("ConfigMap", manifests, "-config")["data"]["config.yaml"]
    config = config.replace("/etc/beatd", str(folder)).replace("0.0.0.0:9753", f"127.0.0.1:{port}")
    mount(folder / "config", {"config.yaml": config}, 1)
    mount(folder / "schedules", one_of("ConfigMap", manifests, "-schedules")["data"], 1)
    urls = {"store-url": postgresql_url, "broker-url": f"redis://127.0.0.1:{server('redis')[1]}/13"}
    mount(folder / "secrets", urls, 1)
    container = one_of("Deployment", manifests)["spec"]["template"]["spec"]["containers"][0]
    env = {one["name"]: one["value"] for one in container["env"]}
    env = {name: value.replace("/etc/beatd", str(folder)) for name, value in env.items()}
    daemon = Process(*container["args"], cwd=tmp_path, env=env)
    try:
        yield daemon, port
    finally:
        daemon.close()


def status(port: int, path: str) -> int:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_a_daemon_of_the_chart_is_ready_and_notices_new_entries(
    pod: tuple[Process, int], tmp_path: Path
) -> None:
    daemon, port = pod
    daemon.says("1 added (tidy)")
    until(lambda: status(port, "/ready") == 200, 10, "it is ready", not_yet=(OSError,))
    assert status(port, "/live") == 200
    data = one_of(
        "ConfigMap", rendered({"entries": {"new": {"task": "t", "every": "1h"}}}), "-schedules"
    )
    mount(tmp_path / "etc" / "beatd" / "schedules", data["data"], 2)
    assert "1 added (new)" in daemon.says("applied")


# The page


PAGE = (ROOT / "docs" / "kubernetes.md").read_text()


def test_the_values_of_the_page_are_valid_and_its_entries_run() -> None:
    (values,) = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL))
    manifests = rendered(values)
    for manifest in manifests:
        kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)
    config = yaml.safe_load(one_of("ConfigMap", manifests, "-config")["data"]["config.yaml"])
    assert config["store"] == {"url_file": "/etc/beatd/secrets/store-url"}, "defaults are kept"
    assert config["http"]["tokens"].keys() == {"ann"}


def test_the_folders_that_the_page_names_are_there() -> None:
    named = set(re.findall(r"\b(?:deploy|docs)/[a-z/.]+", PAGE))
    assert "deploy/helm" in named and all((ROOT / name.rstrip("/.")).exists() for name in named)


def test_the_plain_manifests_name_the_image_of_the_chart() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    container = one_of("Deployment", plain())["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == f"beatd:{chart['appVersion']}"
