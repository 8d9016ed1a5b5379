"""The Dockerfile and compose.yaml: checked by their linters, and each service run as a process.

No Docker engine is needed: what a container would run is run here, with the same configuration,
and with the names of hosts and the paths of mounts replaced.
"""

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from tests.databases import postgresql_url as postgresql_url
from tests.packaging.archives import ROOT, in_git
from tests.process import Process
from tests.run.servers import free_port

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
BIN = Path(sys.executable).parent


def test_hadolint_has_nothing_to_say() -> None:
    told = run([BIN / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (told.returncode, told.stdout) == (0, "")


def sent_to_build() -> set[str]:
    """Return the files that .dockerignore leaves for the build."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    kept = [line[1:] for line in lines if line.startswith("!")]
    return {name for name in in_git() if any(f"{name}/".startswith(f"{one}/") for one in kept)}


def test_all_that_the_dockerfile_copies_is_sent_to_the_build() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    wanted = [name for line in copied for name in line.split()]
    sent = sent_to_build()
    assert wanted and all(any(f"{one}/".startswith(f"{name}/") for one in sent) for name in wanted)
    assert in_git("beatd") <= sent


def test_the_daemon_of_the_image_is_not_root_and_gets_signals_itself() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    for word in ("ENTRYPOINT", "CMD"):
        assert re.search(rf"^{word} \[", last, re.MULTILINE), f"a shell would take SIGTERM: {word}"


def test_compose_yaml_is_a_compose_file() -> None:
    made = PyCompose.from_yaml((ROOT / "compose.yaml").read_text())
    assert sorted(made.service_names()) == ["beatd", "postgres", "redis", "worker"]


def test_secrets_and_mounts_of_compose_yaml_are_declared_and_there() -> None:
    for service in SERVICES.values():
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            assert (
                (ROOT / source).is_dir() if source.startswith(".") else source in COMPOSE["volumes"]
            )
    ignored = run(["git", "check-ignore", "secrets/beatd-token"], cwd=ROOT, capture_output=True)
    assert ignored.returncode == 0, "a secret could be committed"


@pytest.fixture
def mounted(
    tmp_path: Path, server: Callable[[str], tuple[str, int]], postgresql_url: str
) -> tuple[Path, str, list[int]]:
    """The folder /etc/beatd of the containers; the URL of the broker; the ports of two daemons."""
    broker = f"redis://127.0.0.1:{server('redis')[1]}/13"
    (tmp_path / "beatd-token").write_text("3f8a2c7d9e1b4f60a5c8d7e6f1a2b3c4\n")
    ports = [free_port(), free_port()]
    folder = tmp_path / "etc"
    (folder / "schedules").mkdir(parents=True)
    for name in ("tasks.py", "schedules/demo.yaml"):
        text = (ROOT / "deploy" / "compose" / name).read_text()
        assert name == "tasks.py" or "every: 5s" in text
        (folder / name).write_text(text.replace("every: 5s", "every: 1s"))
    text = (ROOT / "deploy" / "compose" / "config.yaml").read_text()
    replaced = {
        'url: "postgresql://beatd@postgres/beatd", password_file: /run/secrets/postgres-password': (
            f"url: '{postgresql_url}'"
        ),
        "redis://redis:6379/0": broker,
        "/run/secrets/beatd-token": str(tmp_path / "beatd-token"),
    }
    for there, here in replaced.items():
        assert there in text
        text = text.replace(there, here)
    for port in ports:
        assert "0.0.0.0:9753" in text
        made = text.replace("0.0.0.0:9753", f"127.0.0.1:{port}")
        (folder / f"config-{port}.yaml").write_text(made)
    return folder, broker, ports


def healthy(port: int) -> bool:
    """Return whether the health check of the image holds for a daemon on another port."""
    found = re.search(r"HEALTHCHECK.*\\\n +CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    command = [text.replace("9753", str(port)) for text in yaml.safe_load(found[1])]
    return run([BIN / command[0], *command[1:]], capture_output=True).returncode == 0


def test_two_daemons_and_a_worker_of_compose_yaml_run_its_entry(
    mounted: tuple[Path, str, list[int]],
) -> None:
    folder, broker, ports = mounted
    (entrypoint, *arguments) = yaml.safe_load(re.findall(r"^ENTRYPOINT (.+)$", DOCKERFILE, re.M)[0])
    command = yaml.safe_load(re.findall(r"^CMD (\[.+)$", DOCKERFILE, re.M)[0])
    worker = SERVICES["worker"]
    assert worker["environment"] == {"CELERY_BROKER_URL": "redis://redis:6379/0"}
    running = [
        Process(
            *worker["command"],
            cwd=folder,
            program=BIN / worker["entrypoint"][0],
            env={"CELERY_BROKER_URL": broker},
        )
    ]
    try:
        for port, says in zip(ports, ("leading, term", "stand"), strict=True):
            daemon = Process(
                *(*arguments, *command),
                cwd=folder,
                program=BIN / entrypoint,
                env={"BEATD_CONFIG": str(folder / f"config-{port}.yaml")},
            )
            running.append(daemon)
            daemon.says(says)  # the first leads before the second starts
        running[0].says("Task tasks.say")
        running[0].says("succeeded")
        assert [healthy(port) for port in ports] == [True, True]
        assert not healthy(free_port())
    finally:
        for one in running:
            one.close()


def test_the_commands_in_the_head_of_compose_yaml_make_its_secrets(tmp_path: Path) -> None:
    head = (ROOT / "compose.yaml").read_text().split("\nname:")[0]
    lines = [line.removeprefix("#   ") for line in head.splitlines() if line.startswith("#   ")]
    made = [line for line in lines if not line.startswith("docker")]
    run(["sh", "-ec", "\n".join(made)], cwd=tmp_path, check=True)
    for name, secret in COMPOSE["secrets"].items():
        text = (tmp_path / secret["file"]).read_text().strip()
        assert len(text) == 64, name
    assert [shlex.split(line)[0] for line in made] == ["mkdir", "openssl", "openssl"]
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
