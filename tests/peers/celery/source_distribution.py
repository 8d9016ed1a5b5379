"""celery's tests of its beat, taken out of the source distribution of the installed celery.

The first run downloads the distribution with pip and keeps the one file in `.venv/peers`; later
runs need no network.
"""

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import celery
import pytest

CACHE = Path(__file__).parents[3] / ".venv" / "peers"
MEMBER = "t/unit/app/test_beat.py"
DOWNLOAD_TIMEOUT_S = 240  # pip also makes an environment in which it builds the metadata
MODE = "BEATD_PEERS"  # "offline" skips celery's tests where they are not in the cache


def folder(cache: Path = CACHE, version: str = celery.__version__) -> Path:
    """Return the folder that MEMBER lies in; fail, or skip if told so, when there is none."""
    place = cache / f"celery-{version}"
    if (place / MEMBER).exists():
        return place
    if os.environ.get(MODE) == "offline":
        pytest.skip(
            f"celery's own tests do not run: {place / MEMBER} is not there, and {MODE}=offline",
            allow_module_level=True,
        )
    with TemporaryDirectory() as downloads:
        if reason := _download(version, Path(downloads)):
            pytest.fail(
                f"celery's own tests cannot run: pip cannot download the source distribution of "
                f"celery {version}: {reason} ({MODE}=offline runs the other tests without them)",
                pytrace=False,
            )
        (archive,) = Path(downloads).glob("*.tar.gz")
        _unpack(archive, place)
    return place


def _download(version: str, to: Path) -> str:
    """Return the last line that pip says when it fails, or nothing."""
    pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet"]
    options = ["--no-binary", ":all:", "--no-deps", "--dest", str(to)]
    try:
        done = subprocess.run(
            [*pip, *options, f"celery=={version}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return f"it took more than {DOWNLOAD_TIMEOUT_S} s"
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return "" if done.returncode == 0 else lines[-1]


def _unpack(archive: Path, place: Path) -> None:
    """Write MEMBER below `place`; a run that is killed meanwhile leaves no half of it."""
    with tarfile.open(archive) as opened:
        name = f"{archive.name.removesuffix('.tar.gz')}/{MEMBER}"
        found = opened.extractfile(name)
        assert found is not None, f"{name} is no file"
        text = found.read()
    target = place / MEMBER
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(".half")
    half.write_bytes(text)
    half.replace(target)
