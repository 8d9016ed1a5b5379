"""Real texts of this repository, from which inputs are made."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def example() -> bytes:
    """Return config.example.yaml."""
    return (ROOT / "config.example.yaml").read_bytes()


def blocks(language: str) -> Iterator[bytes]:
    """Yield the examples of the documentation in a language, such as "yaml"."""
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for match in _BLOCK.finditer(page.read_text()):
            if match[1] == language:
                yield match[2].encode()


def values(key: str) -> Iterator[str]:
    """Yield the values of a key in the YAML examples of the documentation, such as of "cron"."""
    of_key = re.compile(rf"\b{key}: *(\"[^\"]*\"|'[^']*'|[^\s,}}#]+)")
    found = dict.fromkeys(
        match[1].strip("\"'")
        for block in (*blocks("yaml"), example())
        for match in of_key.finditer(block.decode())
    )
    yield from found
