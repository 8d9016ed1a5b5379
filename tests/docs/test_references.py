"""docs/commands.md and docs/settings.md fit the code: both are made from it."""

from pathlib import Path

import pytest

from beatd.cli.commands import COMMANDS
from beatd.config.settings import KEYS
from docs.build.references import pages

PAGES = pages()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_as_the_code_makes_it(page: Path) -> None:
    assert page.read_text() == PAGES[page], "run `make references`, and commit what changed"


def test_every_command_and_every_setting_has_its_place() -> None:
    commands, settings = PAGES.values()
    assert [name for name in COMMANDS if f"\n## beatd {name}\n" not in commands] == []
    assert [key for key in KEYS if f"\n## {key}\n" not in settings
            and f"\n| `{key}` |" not in settings] == []  # fmt: skip
