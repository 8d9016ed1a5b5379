"""Build the site: `python docs/build/make_site.py [FOLDER]`, by default into site/.

The pages of docs/, the README as the first page, and the other pages at the top of the repository
are copied side by side, since Zensical reads one folder. Links between them are written for GitHub,
so they are rewritten. Then the built pages are checked: every link and anchor leads somewhere, and
no browser loads anything from another host.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

if not __package__:  # run as a program: make `docs` known
    sys.path[0] = str(Path(__file__).parents[2])

from docs.build import llms, site_links

ROOT = Path(__file__).parents[2]

#: File at the top of the repository -> its name in the folder of the pages.
TOP = {
    "README.md": "index.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "SECURITY.md": "SECURITY.md",
    "LICENSE": "LICENSE.txt",
    "config.example.yaml": "config.example.yaml",
}
_OUT_OF_DOCS = re.compile(r"\]\(\.\./(?=[A-Z]|config)")
_INTO_DOCS = re.compile(r"\]\((?:docs/)")
#: A block of code, or a line of a paragraph that a list follows: GitHub begins the list there, and
#: Zensical only after an empty line.
_FENCE = re.compile(r"^( *```.*?^ *```$)|^([^-\s|#`>][^\n]*)\n(?=- )", re.MULTILINE | re.DOTALL)
_FILE_LINK = re.compile(r"\[([\w/-]+\.md)\]\(([^)#\s]+\.md)((?:#[^)\s]*)?)\)")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_NAMES = re.compile(r"\]\((README\.md|LICENSE)(?=[#)])")


def main(folder: Path) -> int:
    """Build the site into `folder`, print every problem, and return the exit code."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        shutil.copy(ROOT / "docs" / "zensical.toml", place)
        copy_pages(place / "pages")
        pages = llms.pages_of(place / "zensical.toml", place / "pages")
        titles = {page.name: page.title for page in pages}
        for page in pages:
            name_pages(place / "pages" / page.name, place / "pages", titles)
        zensical = Path(sys.executable).with_name("zensical")
        command = [zensical, "build", "--strict", "--clean"]
        built = subprocess.run(
            command, cwd=place, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if built.returncode:
            print(_COLOUR.sub("", built.stdout).partition("Traceback")[0].rstrip())
            return 1
        site = place / "site"
        named = llms.pages_of(place / "zensical.toml", place / "pages")
        (site / "llms.txt").write_text(llms.text(named))
        problems = site_links.problems(site)
        print("\n".join(problems) or f"{len(pages)} pages in {os.path.relpath(folder)}")
        if not problems:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.move(site, folder)
    return 1 if problems else 0


def copy_pages(folder: Path) -> None:
    """Copy all pages into one folder, with their links between each other rewritten."""
    shutil.copytree(
        ROOT / "docs", folder, ignore=shutil.ignore_patterns("build", "zensical.toml", "*.pyc")
    )
    for source, name in TOP.items():
        if (ROOT / source).exists():
            shutil.copy(ROOT / source, folder / name)
    for page in folder.rglob("*.md"):
        text = page.read_text()
        if page.parent == folder:
            text = _OUT_OF_DOCS.sub("](", text)
            text = _INTO_DOCS.sub("](", text)
        text = _FENCE.sub(lambda found: found[1] or f"{found[2]}\n\n", text)
        page.write_text(_NAMES.sub(lambda link: f"]({TOP[link[1]]}", text))


def name_pages(page: Path, folder: Path, titles: dict[str, str]) -> None:
    """Replace the text of each link that is the name of a file by the title of its page."""

    def named(link: re.Match[str]) -> str:
        target = os.path.normpath(page.parent / link[2])
        title = titles.get(os.path.relpath(target, folder))
        return link[0] if title is None else f"[{title}]({link[2]}{link[3]})"

    page.write_text(_FILE_LINK.sub(named, page.read_text()))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if sys.argv[1:] else ROOT / "site").absolute()))
