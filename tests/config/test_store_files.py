"""The name of a store's file in the place of its URL."""

from contextlib import closing
from pathlib import Path

import pytest

from beatd.clock import SystemClock
from beatd.config.urls import resolved
from beatd.definition import codec
from beatd.errors import ConfigError
from beatd.wiring.backends import open_store


def refused(text: str, folder: Path) -> str:
    with pytest.raises(ConfigError) as refusal:
        resolved("store", text, folder)
    return str(refusal.value)


@pytest.mark.parametrize("name", ["beatd.db", "My Store"])
@pytest.mark.parametrize("kind", ["sqlite:///", "shelve:"])
def test_the_file_of_a_store_is_told_with_its_url(tmp_path: Path, kind: str, name: str) -> None:
    with closing(open_store(f"{kind}{tmp_path}/{name}", codec=codec, clock=SystemClock())):
        pass
    for text in (name, f"./{name}", f"{tmp_path}/{name}"):
        assert refused(text, tmp_path) == (
            f"{text}: is a file, and a store is named by a URL; did you mean {kind}{text}?"
        )


def test_a_file_that_is_no_store_yet_is_told_as_sqlite(tmp_path: Path) -> None:
    said = "new.db: is not a store that beatd knows; did you mean sqlite:///new.db?"
    assert refused("new.db", tmp_path) == said


def test_any_other_word_is_told_as_before(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("no store")
    (tmp_path / "folder").mkdir()
    assert refused("sqlit", tmp_path).endswith("; did you mean sqlite?")
    for text in ("plain", "folder", "", "mongodb://host/x.db"):
        assert "; known are memory, shelve, sqlite" in refused(text, tmp_path), text
