"""Entries that run a chain, a group or a chord, on the command line."""

import pytest

from tests.cli.conftest import Here
from tests.cli.test_edit import editor

CHAIN = '[proj.extract, {"task": "proj.load", "args": [7]}]'
STEPS = [{"task": "proj.extract"}, {"task": "proj.load", "args": [7]}]


@pytest.fixture
def nightly(here: Here) -> Here:
    here("add", "nightly", "--chain", CHAIN, "--every", "1h")
    return here


def test_a_chain_is_added_from_json_or_yaml(here: Here) -> None:
    row = here.json("add", "a", "--chain", CHAIN, "--every", "1h")
    assert (row["task"], row["chain"]) == (None, STEPS)
    given = '[{"task": "proj.extract"}, {"task": "proj.load", "args": [7]}]'
    assert here.json("add", "b", "--chain", given, "--every", "1h")["chain"] == STEPS
    chord = "{header: [proj.a, proj.b], body: proj.sum}"
    row = here.json("add", "c", "--group", "[proj.a, proj.b]", "--every", "1h")
    assert row["group"] == [{"task": "proj.a"}, {"task": "proj.b"}]
    row = here.json("add", "d", "--chord", chord, "--every", "1h")
    assert row["chord"]["body"] == {"task": "proj.sum"}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("[]", "beatd: --chain: is empty; give at least one step"),
        ("[proj.a, {taks: b}]", "beatd: --chain[1].taks: is not a key of a step; "
         "did you mean task?"),
        ("[proj.a, {task: b, args: 3}]", "beatd: --chain[1].args: 3 is not a list; "
         "write it like [2, 2]"),
        ("[proj.a, !!set {b}]",
         "beatd: --chain: '[proj.a, !!set {b}]': the tag '!!set' is not used here (!!timestamp, "
         "!!binary, !decimal, !time and !uuid are) (see beatd add --help)"),
        ("[proj.a", "beatd: --chain: '[proj.a' is not YAML: did not find expected ',' or ']' "
         "(see beatd add --help)"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_step(here: Here, given: str, text: str) -> None:
    assert here("add", "x", "--chain", given, "--every", "1h", code=2).line == text


def test_a_running_canvas_cannot_be_replaced(nightly: Here) -> None:
    text = "replace can end one task only, and this run has several; write queue or skip"
    rule = ("--overlap", "replace", "--max-run", "1h")
    given = ("add", "x", "--chain", "[a, b]", "--every", "1h", *rule)
    assert nightly(*given, code=2).line == f"beatd: --overlap: {text}"
    assert nightly("edit", "nightly", *rule, code=2).line == f"beatd: --overlap: {text}"


def test_a_chain_takes_the_place_of_a_task_and_back(nightly: Here) -> None:
    assert nightly.json("edit", "nightly", "--task", "proj.one")["task"] == "proj.one"
    row = nightly.json("edit", "nightly", "--chain", "[a, b]")
    assert (row["task"], row["chain"]) == (None, [{"task": "a"}, {"task": "b"}])


def test_a_task_inside_of_a_canvas_is_found(nightly: Here) -> None:
    nightly("add", "other", "--task", "proj.other", "--every", "1h")
    for pattern in ("proj.load", "*.load", "proj.ext*"):
        assert [row["name"] for row in nightly.json("list", "--task", pattern)] == ["nightly"]
    assert nightly.json("list", "--task", "load") == []


def test_other_arguments_of_a_canvas_are_refused_and_nothing_is_triggered(nightly: Here) -> None:
    nightly("add", "one", "--task", "proj.one", "--every", "1h")
    assert nightly("trigger", "one", "nightly", "--args", "[1]", code=2).line == (
        "beatd: entry 'nightly' runs a chain, whose steps have arguments of their own; "
        "run it without arguments, or edit its steps"
    )
    assert "requests" not in nightly("show", "one").out


def test_show_and_list_have_the_canvas_in_words(nightly: Here) -> None:
    assert "chain(proj.extract, proj.load)" in nightly("list").out
    assert "tasks  chain(proj.extract, proj.load)" in nightly("show", "nightly").out


def test_an_export_is_applied_without_a_change(nightly: Here) -> None:
    text = nightly("export").out
    assert "    chain:\n    - {task: proj.extract}\n" in text
    nightly.file("e.yaml", text)
    nightly("remove", "nightly")
    nightly("apply", nightly.folder / "e.yaml")
    assert nightly("export").out == text


def test_a_group_whose_end_nobody_learns_is_a_warning(here: Here) -> None:
    here.config("outcomes: {from: results}\n")
    told = here("add", "g", "--group", "[a, b]", "--every", "1h").told
    assert (
        "beatd: note: --group: has no result of its own, so nobody learns how its runs end; "
        "set outcomes: {from: reports}\n"
    ) in told


def test_a_step_is_changed_in_an_editor(nightly: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(nightly.folder, monkeypatch, 'sed -i "s/proj.load/proj.store/" "$1"')
    nightly("edit", "nightly")
    assert nightly.json("show", "nightly")["chain"] == [
        {"task": "proj.extract"},
        {"task": "proj.store", "args": [7]},
    ]


def test_a_task_takes_the_place_of_a_chain_in_an_editor(
    nightly: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "printf 'task: proj.all\\nevery: 1h\\n' > $1"
    editor(nightly.folder, monkeypatch, script)
    nightly("edit", "nightly")
    row = nightly.json("show", "nightly")
    assert (row["task"], "chain" in row) == ("proj.all", False)
