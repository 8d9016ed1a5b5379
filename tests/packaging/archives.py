"""Build the wheel and the source distribution of a folder, and read what they contain."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def built(folder: Path, into: Path, *kinds: str, env: dict[str, str] | None = None) -> list[Path]:
    """Build a distribution of each kind, "wheel" or "sdist", with the tools of this environment."""
    options = [option for kind in kinds for option in ("--target", kind)]
    command = [sys.executable, "-m", "hatchling", "build", "--directory", into, *options]
    subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    return sorted(into.iterdir())


def files_of_wheel(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def unpacked(sdist: Path, into: Path) -> Path:
    """Unpack a source distribution, and return its top folder."""
    with tarfile.open(sdist) as archive:
        # Debian's Python 3.11 does not know filters.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
        archive.extractall(into)
    (folder,) = into.iterdir()
    return folder


def in_git(*below: str) -> set[str]:
    """Return the files of this repository, as git knows them, that still exist."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *below]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return {name for name in told.stdout.splitlines() if (ROOT / name).is_file()}
