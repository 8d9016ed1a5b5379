"""An entry that this program cannot read is not told to be missing."""

from contextlib import closing

import pytest

from beatd.catalog import Change
from beatd.definition import codec
from beatd.planning import first
from tests.cli.conftest import Here
from tests.fake_clock import FakeClock
from tests.stores.making import entry
from tests.stores.test_count import as_a_newer_program

SAID = "entry 'report' in the store cannot be read; a newer beatd wrote it"


@pytest.fixture
def unreadable(here: Here, monkeypatch: pytest.MonkeyPatch) -> Here:
    one = entry("report")
    with closing(here.store()) as store, monkeypatch.context() as newer:
        newer.setattr(codec, "encode", as_a_newer_program)
        assert store.write([Change(one.name, 0, one, first(one, FakeClock().now()))]) == [True]
    return here


@pytest.mark.parametrize(
    "words",
    [["show"], ["remove"], ["pause"], ["resume"], ["trigger"], ["why"]],
    ids=lambda words: words[0],
)
def test_a_command_about_it_says_that_it_cannot_be_read(unreadable: Here, words: list[str]) -> None:
    command, *options = words
    ended = unreadable(command, "report", *options, code=1)
    assert SAID in ended.out + ended.err and "`beatd doctor`" in ended.out + ended.err


def test_a_list_of_nothing_says_that_it_cannot_be_read(unreadable: Here) -> None:
    assert SAID in unreadable("list", "report").line
    said = "no entry of 1 can be read; `beatd doctor` shows the reasons"
    assert unreadable("list").line == said
    assert unreadable("list", "rep*").line == "no entry matches"


def test_a_list_without_a_readable_entry_is_said_as_before(here: Here) -> None:
    here("add", "report", "--task", "t", "--every", "1h")
    assert here("list", "report", "--paused").line == "no entry matches"
