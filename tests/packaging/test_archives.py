"""The wheel and the source distribution: complete, equal, and usable in an empty environment."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

import pytest
from packaging.requirements import Requirement

from tests.packaging.archives import ROOT, built, files_of_wheel, in_git, unpacked
from tests.process import PATIENCE, Process
from tests.run.servers import free_port

Archives = tuple[Path, Path]
OF_GIT_ONLY = {".gitignore", ".dockerignore"}  # they say nothing outside of a clone


def test_the_wheel_has_the_package_and_nothing_else(archives: Archives) -> None:
    files = set(files_of_wheel(archives[1]))
    assert {name for name in files if not name.split("/")[0].endswith(".dist-info")} == in_git(
        "beatd"
    )


def test_the_source_distribution_has_all_that_git_has(archives: Archives, tmp_path: Path) -> None:
    folder = unpacked(archives[0], tmp_path)
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there - {"PKG-INFO"} - OF_GIT_ONLY == in_git() - OF_GIT_ONLY


def test_the_source_distribution_builds_the_same_wheel(archives: Archives, tmp_path: Path) -> None:
    folder = unpacked(archives[0], tmp_path / "unpacked")
    (again,) = built(folder, tmp_path / "dist", "wheel")
    assert again.name == archives[1].name
    assert files_of_wheel(again) == files_of_wheel(archives[1])


def git(folder: Path, *words: str) -> None:
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What a build needs of this repository, without git."""
    folder = tmp_path / "copy"
    shutil.copytree(ROOT / "beatd", folder / "beatd", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


def test_the_version_is_the_tag(copy: Path, tmp_path: Path) -> None:
    git(copy, "init", "--quiet")
    git(copy, "add", ".")
    git(copy, "commit", "--quiet", "--message", "all")
    git(copy, "tag", "v9.8.7")
    (wheel,) = built(copy, tmp_path / "dist", "wheel")
    assert wheel.name == "beatd-9.8.7-py3-none-any.whl"


def test_a_copy_without_git_has_a_version_too(copy: Path, tmp_path: Path) -> None:
    (wheel,) = built(copy, tmp_path / "dist", "wheel")
    assert wheel.name == "beatd-0.1.0.dev0-py3-none-any.whl"


def test_the_build_of_an_image_is_told_its_version(copy: Path, tmp_path: Path) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    (variable,) = re.findall(r"(SETUPTOOLS_SCM_PRETEND_VERSION\w*)=", dockerfile)
    env = {**os.environ, variable: "4.5.6"}
    (wheel,) = built(copy, tmp_path / "dist", "wheel", env=env)
    assert wheel.name == "beatd-4.5.6-py3-none-any.whl"


# Installed


@pytest.fixture(scope="module")
def empty(archives: Archives, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel and what it requires, and no more."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    # The pip of these tests: to install one, and to compile what is not imported, takes seconds.
    pip = [sys.executable, "-m", "pip", "--python", folder, "install", "--no-compile"]
    subprocess.run([*pip, "--quiet", "--disable-pip-version-check", archives[1]], check=True)
    return folder / "bin"


def test_the_command_and_the_module_are_the_same(
    empty: Path, archives: Archives, tmp_path: Path
) -> None:
    version = archives[1].name.split("-")[1]
    for command in (["beatd"], ["python", "-m", "beatd"]):
        told = subprocess.run(
            [empty / command[0], *command[1:], "--version"],
            cwd=tmp_path,
            env={},
            capture_output=True,
            text=True,
        )
        assert (told.stdout, told.stderr) == (f"beatd {version}\n", "")


def test_an_installed_daemon_runs_and_shows_its_page(empty: Path, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "config.yaml").write_text(
        f"store: {{url: 'sqlite:///beatd.db'}}\nhttp: {{bind: '127.0.0.1:{port}'}}\n"
        "broker: {url: 'memory://'}\nentries: {tidy: {task: t, every: 1h}}\n"
    )
    daemon = Process("-c", "config.yaml", cwd=tmp_path, program=empty / "beatd")
    try:
        daemon.says("the store has 1 entry")
        with urlopen(f"http://127.0.0.1:{port}/entries", timeout=PATIENCE) as page:
            assert b"tidy" in page.read()
        daemon.send(signal.SIGTERM)
        assert daemon.ends() == 0
    finally:
        daemon.close()


def test_an_extra_that_is_missing_is_named(empty: Path, tmp_path: Path) -> None:
    told = subprocess.run(
        [empty / "beatd", "list", "--store", "postgresql://127.0.0.1/none"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert told.returncode != 0
    assert "pip install 'beatd[postgresql]'" in told.stderr


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: The module of a requirement whose name says another.
MODULES = {
    "psycopg": "psycopg",
    "PyMySQL": "pymysql",
    "ephem": "ephem",
    "opentelemetry-sdk": "opentelemetry.sdk.trace",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry.exporter.otlp.proto.http",
    "django-celery-beat": "django_celery_beat",
    "sentry-sdk": "sentry_sdk",
}


@pytest.mark.parametrize("extra", PROJECT["optional-dependencies"])
def test_what_an_extra_requires_can_be_imported(extra: str) -> None:
    wanted = [Requirement(text) for text in PROJECT["optional-dependencies"][extra]]
    for one in wanted:
        assert metadata.version(one.name) in one.specifier
        assert find_spec(MODULES.get(one.name, one.name)) is not None
