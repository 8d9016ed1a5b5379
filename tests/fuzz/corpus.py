"""The kept inputs: files of `tests/fuzz/corpus/TARGET/`, with which each run begins."""

import random
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tests.fuzz.target import Target

FOLDER = Path(__file__).with_name("corpus")


def kept(target: Target, most: int, rng: random.Random) -> Sequence[bytes]:
    """Return all kept inputs of a target, and at most `most` of those it makes from other files."""
    files = sorted((FOLDER / target.name).glob("*"))
    seeds = list(target.seeds())
    some = seeds if len(seeds) <= most else rng.sample(seeds, most)
    return [*(file.read_bytes() for file in files if file.is_file()), *some]


def keep(target: Target, data: bytes, folder: Path = FOLDER) -> Path:
    """Write a failing input into a file and return its path."""
    path = folder / target.name / f"found-{sha256(data).hexdigest()[:12]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
