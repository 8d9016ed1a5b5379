"""The documentation names what there is."""

import re
from pathlib import Path
from typing import get_args

import pytest

from beatd.config import load_entries
from beatd.config.settings import KEYS, SECTIONS
from beatd.definition import FIELDS, KINDS
from beatd.why.answer import Cause
from tests.test_imports import BELOW, MODULES, SEAMS, VALUES

ROOT = Path(__file__).parents[1]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), *(ROOT / f"{n}.md" for n in ("README", "CONTRIBUTING"))]
)
#: A file or folder of this tree between backticks; a name of an example has no such beginning.
PATH = re.compile(r"`((?:beatd|tests|bench|docs|systemd)/[\w/.@-]*)`")
#: The rooms, in docs/architecture.md without the `beatd/` before them.
MODULE = re.compile(rf"`((?:{'|'.join(MODULES)})/(?!NAME)[\w/]*(?:\.py)?|\w+\.py)`")
TEST = re.compile(r"`(test_\w+)`")
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_is_on_the_page(key: str) -> None:
    assert f"| `{key}` |" in CONFIGURATION
    for field in SECTIONS.get(key, ()):
        assert f"`{field.name}" in CONFIGURATION, field.name


@pytest.mark.parametrize("key", [*KINDS, *(field.name for field in FIELDS)])
def test_every_key_of_an_entry_is_on_the_page(key: str) -> None:
    assert f"`{key}`" in CONFIGURATION or f"`{key}:" in CONFIGURATION


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()
    missing = {name for name in PATH.findall(text) if not (ROOT / name).exists()}
    if page.name == "architecture.md":
        missing |= {name for name in MODULE.findall(text) if not (ROOT / "beatd" / name).exists()}
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    named = set(TEST.findall(page.read_text()))
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py")) if named else ""
    assert {name for name in named if f"def {name}(" not in tests} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text()):
        if target.startswith("http"):
            continue
        place = (page.parent / target) if target else page
        assert place.exists(), target
        if anchor:
            assert anchor[1:] in anchors(place), f"{target}{anchor}"


@pytest.mark.parametrize("key", ["chain", "group", "chord"])
def test_the_entries_with_several_tasks_on_the_page_are_valid(key: str, tmp_path: Path) -> None:
    section = (ROOT / "docs" / "entries.md").read_text().partition("## Several tasks in one run")[2]
    (tmp_path / "e.yaml").write_text(section.partition("```yaml\n")[2].partition("```")[0])
    read = load_entries(["e.yaml"], folder=str(tmp_path))
    assert not read.problems
    assert any(entry.canvas is not None and getattr(entry.canvas, key) for entry in read.entries)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text()
    pages = [f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")]
    pages.remove("docs/performance-notes.md")  # for maintainers: docs/performance.md leads to it
    assert [
        page for page in (*pages, "CHANGELOG.md", "CONTRIBUTING.md") if page not in readme
    ] == []


def test_the_page_of_the_rooms_is_the_test_of_the_imports() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| [^|]* \| ([^|]*)\|$", text, re.MULTILINE)
    assert {room: set(re.findall(r"`(\w+)`", below)) for room, below in rows} == {
        room: BELOW[room] for room in MODULES
    }
    assert {name for name in VALUES | SEAMS if f"`{name}`" not in text} == set()


@pytest.mark.parametrize("cause", get_args(Cause))
def test_every_cause_of_why_is_on_the_page(cause: str) -> None:
    table = (ROOT / "docs" / "operations.md").read_text().partition("## Why did it not run?")[2]
    assert f"`{cause}`" in table.partition("\n## ")[0]


#: The causes of an entry that is well, or whose moment is simply not a run yet.
FINE = {"succeeded", "received", "not yet", "published", "due", "retried"}


@pytest.mark.parametrize("cause", sorted(set(get_args(Cause)) - FINE))
def test_every_cause_that_may_puzzle_is_a_symptom_of_the_page_about_trouble(cause: str) -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    rows = re.findall(r"^\| [^|]* \| ([^|]*) \| [^|]* \|$", page, re.MULTILINE)
    assert any(f"`{cause}`" in row for row in rows)
