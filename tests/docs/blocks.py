"""The blocks of code and the commands on the pages of the documentation."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), *(ROOT / f"{n}.md" for n in ("README", "CONTRIBUTING"))]
)
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^(?:\$ )?((?:\.venv/bin/)?beatd (?!\S+ starts).*)", re.MULTILINE)


class Block(Struct, frozen=True):
    """A block of code on a page; `language` is "" if the page does not name it."""

    page: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the blocks of code of a page, without their indentation."""
    text = page.read_text()
    for found in _BLOCK.finditer(text):
        indent, language, body = found.groups()
        lines = [line.removeprefix(indent) for line in body.splitlines()]
        line = text.count("\n", 0, found.start()) + 2
        yield Block(str(page.relative_to(ROOT)), line, language, "\n".join(lines) + "\n")


def blocks(*languages: str) -> list[Block]:
    """Return all blocks of all pages in one of these languages."""
    return [block for page in PAGES for block in blocks_of(page) if block.language in languages]


def commands(block: Block) -> list[list[str]]:
    """Return the commands of `beatd` in a block as words, with the path of the program first.

    Such a line begins with a prompt or with `beatd`; comments are left out.
    """
    lines = _COMMAND.findall(block.text.replace("\\\n", " "))
    return [shlex.split(line, comments=True) for line in lines]


def page(name: str) -> Path:
    """Return the path of a page below docs/."""
    return ROOT / "docs" / name
