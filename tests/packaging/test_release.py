"""`make release` refuses what is not a release, before it builds anything."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.archives import ROOT

CHANGELOG = "# Changelog\n\n## 1.2.3\n"
CHART = "apiVersion: v2\nappVersion: 1.2.3\n"


def git(folder: Path, *words: str) -> None:
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository whose only commit is tagged, with what the release looks at."""
    (tmp_path / "deploy" / "helm").mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "release.py", tmp_path / "deploy")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "deploy" / "helm" / "Chart.yaml").write_text(CHART)
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    git(tmp_path, "tag", "v1.2.3")
    return tmp_path


def commit(folder: Path) -> None:
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "all")


def refusal(folder: Path) -> str:
    script = folder / "deploy" / "release.py"
    told = subprocess.run([sys.executable, script], cwd=folder, capture_output=True, text=True)
    assert told.returncode == 1 and not (folder / "dist").exists()
    return told.stderr


def test_a_changed_file(clone: Path) -> None:
    (clone / "CHANGELOG.md").write_text("other")
    (clone / "new").touch()
    assert "2 files are changed or new; commit or remove them first" in refusal(clone)


def test_no_tag(clone: Path) -> None:
    commit(clone)
    assert "this commit has no version tag; set one: git tag v1.2.3" in refusal(clone)


def test_two_tags(clone: Path) -> None:
    git(clone, "tag", "v1.2.4")
    assert "this commit has 2 version tags" in refusal(clone)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("CHANGELOG.md", "## Unreleased\n", "CHANGELOG.md has no heading '## 1.2.3'"),
        ("deploy/helm/Chart.yaml", "appVersion: 1.2.2\n", "has no `appVersion: 1.2.3`"),
    ],
)
def test_a_file_that_tells_another_version(clone: Path, file: str, text: str, said: str) -> None:
    (clone / file).write_text(text)
    git(clone, "tag", "--delete", "v1.2.3")
    commit(clone)
    git(clone, "tag", "v1.2.3")
    assert said in refusal(clone)
