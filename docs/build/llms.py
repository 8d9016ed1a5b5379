"""Write llms.txt: the list of all pages, with the first sentences of each, for language models."""

import re
import tomllib
from pathlib import Path
from typing import NamedTuple


class Page(NamedTuple):
    """A page of the site: its part of the navigation, its title there, its file and its text."""

    part: str
    title: str
    name: str
    text: str


def pages_of(config: Path, folder: Path) -> list[Page]:
    """Return the pages in the order of the navigation."""
    nav = tomllib.loads(config.read_text())["project"]["nav"]
    return [
        Page(part, title, name, (folder / name).read_text())
        for parts in nav
        for part, pages in parts.items()
        for page in pages
        for title, name in page.items()
    ]


def text(pages: list[Page]) -> str:
    """Return the text of llms.txt: a title, a summary, and a list of links for each part."""
    first = pages[0]
    lines = [f"# {first.title}", "", f"> {_summary(first.text)}"]
    part = ""
    for page in pages:
        if page.part != part:
            part = page.part
            lines += ["", f"## {part}", ""]
        lines.append(f"- [{page.title}]({page.name[:-3]}.html): {_summary(page.text)}")
    return "\n".join(lines) + "\n"


def _summary(text: str) -> str:
    """Return the first two sentences of a page as one line, without their links."""
    paragraphs = re.split(r"\n\s*\n", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S).strip())
    first = next(one for one in paragraphs if one[0] not in "#!<|")
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(first.split()))
    return " ".join(re.split(r"(?<=[.!?]) (?=[A-Zb])", plain)[:2])
