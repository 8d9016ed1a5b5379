"""What is known of the entries is shown although the configuration declares a wrong one."""

import pytest

from tests.cli.conftest import Here

WRONG = "entries: {y: {task: t, evry: 5m}, z: {every: 5m}}\n"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("list",), 0),
        (("show", "x"), 0),
        (("history",), 0),
        (("changes",), 0),
        (("incidents",), 0),
        (("status",), 1),
    ],
    ids=lambda words: words[0] if isinstance(words, tuple) else "",
)
def test_a_command_that_only_reads_notes_the_first_mistake_and_goes_on(
    x: Here, words: tuple[str, ...], code: int
) -> None:
    right = x(*words, code=code).out
    x.config(WRONG)
    wrong = x(*words, code=code)
    assert "config.yaml:5: entries.y.evry: is not a key of an entry" in wrong.told
    assert "1 more" in wrong.told and wrong.told.count("note: ") == 1
    if words[0] not in ("list", "status"):  # these show how long ago something was
        assert wrong.out == right
    assert x.json(*words, code=code) is not None


def test_a_wrong_setting_of_a_server_and_a_file_that_is_no_yaml_are_refused(x: Here) -> None:
    x.config("http: {bnd: '127.0.0.1:1'}\n")
    assert "http.bnd" in x("list", code=2).line
    x.config("entries: {y: {task\n")
    assert "is not YAML" in x("list", code=2).line


def test_a_command_that_changes_something_needs_right_entries(x: Here) -> None:
    x.config(WRONG)
    assert "entries.y.evry" in x("add", "new", "--task", "t", "--every", "1h", code=2).told
