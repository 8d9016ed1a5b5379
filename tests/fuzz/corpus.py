"""The kept inputs: files of `tests/fuzz/corpus/TARGET/`, which each run gives to the target first."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tests.fuzz.target import Target

FOLDER = Path(__file__).with_name("corpus")


def kept(target: Target) -> Sequence[bytes]:
    """Return the kept inputs of a target, then those it makes from files of this repository."""
    files = sorted((FOLDER / target.name).glob("*"))
    return [*(file.read_bytes() for file in files if file.is_file()), *target.seeds()]


def keep(target: Target, data: bytes, folder: Path = FOLDER) -> Path:
    """Write a failing input into a file and return its path."""
    path = folder / target.name / f"found-{sha256(data).hexdigest()[:12]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
