"""Entries that are declared, and that no daemon has applied yet."""

import pytest

from tests.cli.conftest import Beatd, Here

APPLIES = "`beatd run` or `beatd apply` does"


@pytest.fixture
def declared(x: Here) -> Here:
    """The store has x; the configuration and a file of it declare nightly and hourly as well."""
    x.config("schedules: [s/]\nentries: {nightly: {task: t, cron: '@daily'}}\n")
    x.file("s/a.yaml", "entries:\n  hourly: {task: t, every: 1h}\n")
    return x


@pytest.mark.parametrize(
    "words",
    [("show",), ("trigger",), ("pause",), ("edit", "--every", "1h"), ("remove",), ("history",)],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize(("name", "place"), [("nightly", "config.yaml:6"), ("hourly", "a.yaml:2")])
def test_a_command_says_where_it_is_declared(
    declared: Here, words: tuple[str, ...], name: str, place: str
) -> None:
    said = declared(words[0], name, *words[1:], code=1).line
    assert f"entry '{name}' is declared in " in said and f"{place}, but not in the store" in said
    assert said.endswith(f"no daemon has applied it yet; {APPLIES}")
    declared("apply")
    assert declared("show", name).code == 0


def test_why_says_it_too(declared: Here) -> None:
    assert "is declared in " in declared("why", "nightly", code=1).out
    assert "did you mean 'x1'?" not in declared("why", "zz", code=1).out


def test_a_list_says_it_where_it_finds_nothing(declared: Here) -> None:
    assert declared("list", "night*").err == (
        f"no entry matches; {declared.folder}/config.yaml declares 1 entry that no daemon has "
        f"applied yet (nightly); {APPLIES}\n"
    )
    declared("remove", "x")
    said = declared("list").err
    assert "no entry is in the store; " in said and "2 entries" in said
    assert "(nightly, hourly)" in said
    assert declared("list", "--paused").err == "no entry matches\n"


def test_another_store_is_not_that_of_the_configuration(declared: Here, beatd: Beatd) -> None:
    url = f"sqlite:///{declared.folder}/beatd.db"
    assert "declared in" not in beatd("show", "nightly", "--store", url).line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "--source", "yaml:cofig"), "did you mean --source yaml:config?"),
        (("list", "--source", "zz"), "no entry is of 'zz'; there are cli, yaml:config"),
        (("list", "nightli"), "did you mean 'nightly'?"),
    ],
)
def test_a_list_of_nothing_says_what_may_be_meant(
    declared: Here, words: tuple[str, ...], said: str
) -> None:
    declared("apply")
    assert said in declared(*words).err


@pytest.mark.parametrize("command", ["show", "trigger", "history", "why", "next"])
def test_a_similar_name_is_suggested_also_with_other_first_letters(
    declared: Here, command: str
) -> None:
    declared("add", "report", "--task", "t", "--every", "1h")
    ended = declared(command, "eport", code=1)
    assert "did you mean" in ended.out + ended.err and "report" in ended.out + ended.err


@pytest.mark.parametrize("words", [("list",), ("show", "nightly"), ("trigger", "nightly")])
def test_without_a_store_it_is_said_too(here: Here, words: tuple[str, ...]) -> None:
    here.config("entries: {nightly: {task: t, cron: '@daily'}}\n")
    said = here(*words, code=1).line
    assert "there is no such file yet; `beatd run`" in said
    assert said.endswith("declares 1 entry that no daemon has applied yet (nightly)")
    here.config("")
    assert here(*words, code=1).line.endswith("creates it")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("entries:\n  hourly:\n    task: t\n    every 1h\n    tz: UTC\n", ":4: is not YAML: "),
        ("entries:\n  hourly: {task: t, evry: 1h}\n", ":2: entries.hourly.evry: is not a key of "),
        (
            "entries:\n  a: {task: t, evry: 1h}\n  hourly: {every: 1h}\n",
            ":3: entries.hourly.task: is missing",
        ),
    ],
)
@pytest.mark.parametrize("words", [("show", "hourly"), ("trigger", "hourly"), ("pause", "hourly")])
def test_an_entry_of_a_file_with_a_mistake_is_answered_with_the_mistake(
    declared: Here, words: tuple[str, ...], text: str, said: str
) -> None:
    declared.file("s/a.yaml", text)
    line = declared(*words, code=1).line
    assert line.startswith("beatd: no entry 'hourly' in the store")
    assert f"; not applied: {declared.folder}/s/a.yaml{said}" in line


def test_a_mistake_in_the_configuration_itself_is_told_once(declared: Here) -> None:
    declared.config("entries: {nightly: {task: t, evry: 1h}}\n")
    assert declared("show", "other", code=1).told.count("evry") == 1
