"""Make a release in dist/: the wheel, the source distribution and the list of all parts (SBOM).

Run by `make release`. The version is that of the tag of the present commit, such as v1.2.3. Each
file is checked, and all packages that the wheel requires are looked up among known vulnerabilities.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
WITHOUT = "mend that, or release without the audit: make release AUDIT=no"
TAG = re.compile(r"v\d+\.\d+\.\d+((a|b|rc)\d+)?")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--without-audit", action="store_true", help="do not ask for known vulnerabilities"
    )
    given = parser.parse_args()
    version = tagged_version()
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "hatchling", "build", "--directory", DIST)
    files = sorted(DIST.iterdir())
    if wrong := [file.name for file in files if f"beatd-{version}" not in file.name]:
        sys.exit(f"{', '.join(wrong)}: this is not version {version} of the tag")
    run("twine", "check", "--strict", *files)
    sbom = DIST / f"beatd-{version}.cdx.json"
    with tempfile.TemporaryDirectory(prefix="beatd-release-") as folder:
        installed = install(version, Path(folder))
        project = ("--pyproject", ROOT / "pyproject.toml", "--output-reproducible")
        into = ("--output-file", sbom, installed / "bin" / "python")
        run("cyclonedx-py", "environment", *project, *into)
        audit(installed, skip=given.without_audit)
    print(f"\ndist/ has version {version}:")
    for file in sorted(DIST.iterdir()):
        print(f"  {file.name:<40} {file.stat().st_size / 1000:>8.0f} kB")
    print("\nNext, by hand:")
    print(f"  git push origin v{version}")
    print(f"  twine upload dist/*{version}*.whl dist/*{version}*.tar.gz")
    print(f"  docker build --build-arg VERSION={version} --tag beatd:{version} .")


def tagged_version() -> str:
    """Return the version of the present commit's tag; exit if there is none or files changed."""
    if changed := told("git", "status", "--porcelain"):
        count = len(changed.splitlines())
        sys.exit(f"release: {count} files are changed or new; commit or remove them first")
    tags = [tag for tag in told("git", "tag", "--points-at", "HEAD").split() if TAG.fullmatch(tag)]
    if len(tags) != 1:
        found = f"{len(tags)} version tags" if tags else "no version tag"
        sys.exit(f"release: this commit has {found}; set one: git tag v1.2.3")
    version = tags[0].removeprefix("v")
    heading = f"## {version}"
    if heading not in (ROOT / "CHANGELOG.md").read_text():
        sys.exit(f"release: CHANGELOG.md has no heading {heading!r}; rename Unreleased")
    chart = (ROOT / "deploy" / "helm" / "Chart.yaml").read_text()
    if f"\nappVersion: {version}\n" not in chart:
        sys.exit(f"release: deploy/helm/Chart.yaml has no `appVersion: {version}`")
    return version


def install(version: str, folder: Path) -> Path:
    """Install the wheel with its usual extras into an environment of its own."""
    run(sys.executable, "-m", "venv", folder / "venv")
    pip = folder / "venv" / "bin" / "pip"
    wanted = f"beatd[postgresql,mysql,solar,msgpack,alerts]=={version}"
    run(pip, "install", "--quiet", "--disable-pip-version-check", "--find-links", DIST, wanted)
    run(pip, "uninstall", "--quiet", "--yes", "pip", "setuptools")
    return folder / "venv"


def audit(installed: Path, *, skip: bool) -> None:
    if skip:
        print("release: NOT AUDITED, because you asked so", file=sys.stderr)
        return
    (packages,) = installed.glob("lib/*/site-packages")
    command: list[str | Path] = [
        "pip-audit",
        "--path",
        packages,
        "--format",
        "json",
        "--progress-spinner",
        "off",
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found = json.loads(result.stdout)["dependencies"]
    except ValueError:
        sys.exit(f"release: pip-audit failed: {result.stderr.strip()[-500:]}\n{WITHOUT}")
    known = [f"{one['name']} {one['version']}: {bug['id']}" for one in found for bug in vulns(one)]
    # beatd itself may be on no index yet.
    skipped = [one["name"] for one in found if "skip_reason" in one and one["name"] != "beatd"]
    for line in known:
        print(f"release: vulnerable: {line}", file=sys.stderr)
    if skipped:
        print(f"release: {len(skipped)} packages could not be audited", file=sys.stderr)
    if known or skipped:
        sys.exit(f"release: {WITHOUT}")
    print(f"{len(found)} packages have no known vulnerability")


def vulns(package: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = package.get("vulns", [])
    return found


def run(*command: str | Path) -> None:
    try:
        subprocess.run(command, cwd=ROOT, check=True)
    except subprocess.CalledProcessError as error:
        sys.exit(f"release: {Path(command[0]).name} failed with exit code {error.returncode}")


def told(*command: str) -> str:
    result = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return result.stdout.strip()


if __name__ == "__main__":
    main()
