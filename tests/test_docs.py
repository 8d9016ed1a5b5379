"""The documentation names what there is."""

from pathlib import Path

import pytest

from beatd.config.settings import KEYS, SECTIONS
from beatd.definition import FIELDS, KINDS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "configuration.md").read_text()


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_is_on_the_page(key: str) -> None:
    assert f"| `{key}` |" in PAGE
    for field in SECTIONS.get(key, ()):
        assert f"`{field.name}" in PAGE, field.name


@pytest.mark.parametrize("key", [*KINDS, *(field.name for field in FIELDS)])
def test_every_key_of_an_entry_is_on_the_page(key: str) -> None:
    assert f"`{key}`" in PAGE or f"`{key}:" in PAGE


def test_the_pages_that_the_readme_names_are_there() -> None:
    readme = (ROOT / "README.md").read_text()
    for page in ("docs/configuration.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        assert page in readme and (ROOT / page).exists()
