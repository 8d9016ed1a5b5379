"""What is said of the mistakes that are made most often: the way out, and nothing beside it."""

from pathlib import Path

import pytest

from beatd.config import examine


def told(folder: Path, text: str) -> list[str]:
    path = folder / "c.yaml"
    path.write_text(text)
    found = examine(path, environment={})
    return [str(problem).replace(f"{path}:", "") for problem in found.problems]


def test_keys_beside_their_entry_are_told_as_too_little_indented(tmp_path: Path) -> None:
    text = "broker: memory://\nentries:\n  a:\n  task: t\n  every: 5s\n"
    astray = "is a key of an entry, and stands where a name should; is it indented too little?"
    assert told(tmp_path, text) == [
        "3: entries.a: is empty; is what follows it indented too little?",
        f"4: entries.task: {astray}",
        f"5: entries.every: {astray}",
    ]


def test_an_entry_at_the_top_is_told_as_too_little_indented(tmp_path: Path) -> None:
    text = "broker: memory://\nentries:\na:\n  task: t\n  every: 5s\n"
    assert told(tmp_path, text) == [
        "3: a: is not a setting; an entry goes under `entries:`: is it indented too little?"
    ]


@pytest.mark.parametrize("option", ["queue", "priority", "expires", "routing_key"])
def test_an_option_beside_options_is_told_where_it_goes(tmp_path: Path, option: str) -> None:
    text = f"broker: memory://\nentries:\n  a: {{task: t, every: 5s, {option}: 5}}\n"
    (line,) = told(tmp_path, text)
    assert line.endswith(f"{option}: is not a key of an entry; write options: {{{option}: …}}")
    (line,) = told(tmp_path, f"broker: memory://\ndefaults: {{{option}: 5}}\n")
    assert line.endswith(f"cannot be a default; write options: {{{option}: …}}")


def test_a_variable_that_is_not_set_is_told_once(tmp_path: Path) -> None:
    text = "broker: ${NU_BROKER}\ntimezone: ${NU_ZONE}\n"
    lines = told(tmp_path, text)
    assert [line.split(";")[0] for line in lines] == [
        "1: ${NU_BROKER} is not set",
        "2: ${NU_ZONE} is not set",
    ]
