"""Build a release into dist/ and check it: `make release`. Nothing is uploaded.

The release is the tag of the current commit, such as v1.2.3. The steps end at the first problem.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

ROOT = Path.cwd()
DIST = ROOT / "dist"
TAG = re.compile(r"v(\d+\.\d+\.\d+((a|b|rc)\d+)?)")
EXTRAS = "postgresql,mysql,solar,sqs,msgpack,traces,alerts,sentry"
#: Files that name the version, and the line that must be there.
NAMED = {
    "CHANGELOG.md": r"## {version}\b",
    "deploy/helm/Chart.yaml": r"(?s)version: {version}\n.*appVersion: {version}\n",
    "deploy/kubernetes/deployment.yaml": r"image: beatd:{version}\n",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--without-audit",
        action="store_true",
        help="go on when the service that knows the vulnerabilities cannot be asked",
    )
    parser.add_argument(
        "--accept", default="", metavar="IDS", help="vulnerabilities that do not stop the release"
    )
    parser.add_argument(
        "--extras", default=EXTRAS, help="what the list of components has beside the requirements"
    )
    options = parser.parse_args()
    version = tagged_version()
    check_names(version)
    build(version)
    with tempfile.TemporaryDirectory() as folder:
        python = install(version, options.extras, Path(folder))
        list_components(version, python)
        audit(python, set(options.accept.split()), without=options.without_audit)
    sign_off(version)


def tagged_version() -> str:
    """Return the version of the tag on this commit; end if there is none, or an edit."""
    if changed := output("git", "status", "--porcelain").splitlines():
        stop(f"the tree has {len(changed)} changes that are not committed: {changed[0].strip()}, …")
    tags = output("git", "tag", "--points-at", "HEAD").split()
    versions = [found[1] for tag in tags if (found := TAG.fullmatch(tag))]
    if not versions:
        stop("this commit has no tag like v1.2.3; make one: git tag --annotate v1.2.3")
    if len(versions) > 1:
        stop(f"this commit has several versions: {', '.join(versions)}; delete the wrong tags")
    return versions[0]


def check_names(version: str) -> None:
    """End if a file does not name the version."""
    wrong = [
        name
        for name, line in NAMED.items()
        if not re.search(line.format(version=re.escape(version)), (ROOT / name).read_text())
    ]
    if wrong:
        stop(f"{', '.join(wrong)}: no {version} where the version belongs")


def build(version: str) -> None:
    """Build wheel and source distribution into an empty dist/, and check their description."""
    if DIST.exists() and (left := sorted(path.name for path in DIST.iterdir())):
        stop(f"dist/ is not empty: {', '.join(left[:3])}; delete it")
    run("pyproject-build", "--no-isolation", "--outdir", DIST)
    built = sorted(path.name for path in DIST.iterdir() if path.suffix in (".whl", ".gz"))
    if built != (wanted := [f"beatd-{version}-py3-none-any.whl", f"beatd-{version}.tar.gz"]):
        stop(f"built {', '.join(built)}, not {', '.join(wanted)}")
    run("twine", "check", "--strict", *(DIST / name for name in built))


def install(version: str, extras: str, folder: Path) -> Path:
    """Install the wheel in an environment of its own, and return its Python."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    wheel = DIST / f"beatd-{version}-py3-none-any.whl"
    wanted = f"{wheel}[{extras}]" if extras else wheel
    run("pip", "--python", python, "install", "--quiet", wanted)
    return python


def list_components(version: str, python: Path) -> None:
    """Write what the environment has as a CycloneDX document (SBOM) into dist/."""
    file = DIST / f"beatd-{version}.cdx.json"
    described = ("--pyproject", ROOT / "pyproject.toml", "--output-reproducible", "-o", file)
    run("cyclonedx-py", "environment", *described, python)
    document = json.loads(file.read_text())
    document["metadata"]["component"]["version"] = version  # pyproject.toml does not say it
    file.write_text(json.dumps(document, indent=2) + "\n")


def audit(python: Path, accepted: set[str], *, without: bool) -> None:
    """End if a component has a known vulnerability, or if that cannot be found out.

    pip-audit ends with 0 and prints "No known vulnerabilities found" also when it could not look
    up a single component, so its report is read.
    """
    (packages,) = python.parents[1].glob("lib/python3*/site-packages")
    words = ["pip-audit", "--path", packages, "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(words, capture_output=True, text=True)
    try:
        components = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        unknown(said[-1], without=without)
        return
    found = {
        f"{one['name']} {one['version']}: {flaw['id']}"
        for one in components
        for flaw in one.get("vulns", ())
        if not accepted & {flaw["id"], *flaw.get("aliases", ())}
    }
    if found:
        stop(f"known vulnerabilities: {'; '.join(sorted(found))}")
    skipped = [one["name"] for one in components if "skip_reason" in one and one["name"] != "beatd"]
    if skipped:
        unknown(f"{len(skipped)} of {len(components) - 1} components", without=without)
    else:
        print(f"no known vulnerabilities; components looked up: {len(components) - 1}")


def unknown(what: str, *, without: bool) -> None:
    """End, unless the release is explicitly made without knowing its vulnerabilities."""
    text = f"pip-audit could not look up vulnerabilities ({what})"
    if not without:
        stop(f"{text}; try again later, or release without: make release WITHOUT_AUDIT=1")
    print(f"NOT AUDITED: {text}")


def sign_off(version: str) -> None:
    """Write the checksums, and print what to upload and how."""
    files = sorted(path for path in DIST.iterdir() if path.name != "SHA256SUMS")
    sums = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (DIST / "SHA256SUMS").write_text("".join(sums))
    print(f"""
beatd {version} is in dist/: {", ".join(path.name for path in files)}, SHA256SUMS.
Nothing was uploaded. To publish it:
  git push origin v{version}
  twine upload dist/beatd-{version}*.whl dist/beatd-{version}.tar.gz
  docker build --build-arg VERSION={version} --tag YOUR-REGISTRY/beatd:{version} .
  docker push YOUR-REGISTRY/beatd:{version}
  helm package deploy/helm
Add dist/beatd-{version}.cdx.json and dist/SHA256SUMS to the release on the git server.""")


def output(*words: str) -> str:
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


def run(*words: str | Path) -> None:
    """Run a command, and end with its exit code if it fails."""
    print("$", *words, flush=True)
    if code := subprocess.run(words).returncode:
        stop(f"{Path(words[0]).name} ended with {code}")


def stop(why: str) -> NoReturn:
    sys.exit(f"no release: {why}")


if __name__ == "__main__":
    main()
