"""`make release` makes a release of a tagged, clean tree only, and knows what was audited.

The tools that it runs are stand-ins: they write what the real ones wrote.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
VERSION = "7.8.9"
TOOL = f"""#!{sys.executable}
import json, os, sys
from pathlib import Path
name, words = Path(sys.argv[0]).name, sys.argv[1:]
with open(os.environ["CALLS"], "a") as calls:
    print(name, file=calls)
if name == "pyproject-build":
    folder = Path(words[words.index("--outdir") + 1])
    folder.mkdir(exist_ok=True)
    for end in ("-py3-none-any.whl", ".tar.gz"):
        (folder / f"beatd-{{os.environ['BUILT']}}{{end}}").touch()
if name == "cyclonedx-py":
    document = {{"metadata": {{"component": {{"name": "beatd"}}}}}}
    Path(words[words.index("-o") + 1]).write_text(json.dumps(document))
if name == "pip-audit":
    print(os.environ["AUDIT"])
    if not os.environ["AUDIT"]:
        sys.exit("ERROR:pip_audit._cli:Failed to establish a new connection")
"""
OWN = {"name": "beatd", "skip_reason": "Dependency not found on PyPI and could not be audited"}
SAFE = {"name": "click", "version": "8.1.7", "vulns": []}
FLAWED = {
    "name": "jinja2",
    "version": "3.1.0",
    "vulns": [{"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fix_versions": ["3.1.9"]}],
}
UNKNOWN = {"name": "redis", "skip_reason": "could not be audited: redis (5.0)"}


class Repository:
    """A clone with what a release reads, at a tag, and the tools that a release runs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tools = folder / "clone", folder / "tools"
        self.built, self.calls = VERSION, folder / "calls"
        self.tools.mkdir()
        for name in ("pyproject-build", "twine", "pip", "cyclonedx-py", "pip-audit"):
            (self.tools / name).write_text(TOOL)
            (self.tools / name).chmod(0o755)
        self.write("CHANGELOG.md", f"## {VERSION} (2026-12-01)\n")
        self.write("deploy/helm/Chart.yaml", f"version: {VERSION}\nappVersion: {VERSION}\n")
        self.write("deploy/kubernetes/deployment.yaml", f"image: beatd:{VERSION}\n")
        self.write(".gitignore", "/dist/\n")
        self.git("init", "--quiet")
        self.commit()
        self.git("tag", f"v{VERSION}")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def git(self, *words: str) -> None:
        author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *author, *words], cwd=self.folder, check=True)

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", "all")

    def release(self, *options: str, audit: list[dict[str, Any]] | None = None) -> tuple[int, str]:
        """Return the exit code of a release and what it printed; None: no audit is to be had."""
        report = "" if audit is None else json.dumps({"dependencies": [OWN, *audit]})
        path = os.pathsep.join([str(self.tools), os.environ["PATH"]])
        done = subprocess.run(
            [sys.executable, ROOT / "deploy/release.py", *options],
            cwd=self.folder,
            env={
                "PATH": path,
                "CALLS": str(self.calls),
                "BUILT": self.built,
                "AUDIT": report,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_release_says_what_to_upload(repository: Repository) -> None:
    code, printed = repository.release(audit=[SAFE])
    assert code == 0, printed
    assert "no known vulnerabilities; components looked up: 1" in printed
    assert f"twine upload dist/beatd-{VERSION}*.whl dist/beatd-{VERSION}.tar.gz" in printed
    dist = repository.folder / "dist"
    assert sorted(path.name for path in dist.iterdir()) == [
        "SHA256SUMS",
        f"beatd-{VERSION}-py3-none-any.whl",
        f"beatd-{VERSION}.cdx.json",
        f"beatd-{VERSION}.tar.gz",
    ]
    sbom = json.loads((dist / f"beatd-{VERSION}.cdx.json").read_text())
    assert sbom["metadata"]["component"]["version"] == VERSION
    sums = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=dist, capture_output=True)
    assert sums.returncode == 0


def test_a_dirty_tree_is_refused(repository: Repository) -> None:
    repository.write("new.py", "")
    code, printed = repository.release(audit=[SAFE])
    assert code == 1 and "no release: the tree has 1 changes" in printed and "new.py" in printed
    assert not repository.calls.exists()


def test_a_commit_without_a_tag_is_refused(repository: Repository) -> None:
    repository.write("new.py", "")
    repository.commit()
    repository.git("tag", "deployed-on-monday")
    code, printed = repository.release(audit=[SAFE])
    assert code == 1 and "no release: this commit has no tag like v1.2.3" in printed
    assert not repository.calls.exists()


@pytest.mark.parametrize(
    "name", ["CHANGELOG.md", "deploy/helm/Chart.yaml", "deploy/kubernetes/deployment.yaml"]
)
def test_a_file_that_names_another_version_is_refused(repository: Repository, name: str) -> None:
    text = (repository.folder / name).read_text()
    repository.write(name, text.replace(VERSION, "7.8.8"))
    repository.commit()
    repository.git("tag", "--force", f"v{VERSION}")
    code, printed = repository.release(audit=[SAFE])
    assert code == 1 and f"{name}: no {VERSION} where the version belongs" in printed


def test_files_of_an_older_release_are_not_uploaded_with_it(repository: Repository) -> None:
    repository.write("dist/beatd-7.0.0.tar.gz", "")
    code, printed = repository.release(audit=[SAFE])
    assert code == 1 and "dist/ is not empty: beatd-7.0.0.tar.gz" in printed


def test_a_build_of_another_version_is_refused(repository: Repository) -> None:
    repository.built = "7.8.10.dev1"
    code, printed = repository.release(audit=[SAFE])
    assert code == 1 and "no release: built beatd-7.8.10.dev1" in printed


def test_a_known_vulnerability_stops_the_release(repository: Repository) -> None:
    code, printed = repository.release("--without-audit", audit=[SAFE, FLAWED])
    assert code == 1 and "jinja2 3.1.0: PYSEC-2026-1" in printed


@pytest.mark.parametrize("known_as", ["PYSEC-2026-1", "CVE-2026-1"])
def test_an_accepted_vulnerability_does_not(repository: Repository, known_as: str) -> None:
    code, printed = repository.release("--accept", known_as, audit=[FLAWED])
    assert code == 0, printed


@pytest.mark.parametrize("audit", [None, [SAFE, UNKNOWN]], ids=["no service", "half an answer"])
def test_a_release_that_nobody_could_audit_is_refused_unless_told(
    repository: Repository, audit: list[dict[str, Any]] | None
) -> None:
    code, printed = repository.release(audit=audit)
    assert code == 1 and "no release: pip-audit could not look up vulnerabilities" in printed
    shutil.rmtree(repository.folder / "dist")
    code, printed = repository.release("--without-audit", audit=audit)
    assert code == 0 and "NOT AUDITED" in printed
    assert "no known vulnerabilities" not in printed
