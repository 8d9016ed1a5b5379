"""Arguments keep their types through every command."""

import json
from typing import Any

import pytest
from kombu.utils.json import dumps, loads

from tests.cli.conftest import Here
from tests.cli.test_edit import editor
from tests.typed import ALIKE

DATE = {"__type__": "date", "__value__": "2027-01-01"}
PRICE = {"__type__": "decimal", "__value__": "1.50"}


def add(here: Here, *words: str) -> None:
    here("add", "x", "--task", "t", "--every", "5m", *words)


def test_keyword_arguments_that_a_worker_reads_as_a_date_are_refused(here: Here) -> None:
    add(here)
    ended = here("trigger", "x", "--kwargs", json.dumps(DATE), code=2)
    assert "is what a worker reads as one value" in ended.line


def test_list_show_and_export_print_what_add_and_apply_take(here: Here) -> None:
    text = dumps(list(ALIKE))
    add(here, "--args", text, "--kwargs", dumps({"k": ALIKE}), "--header", f"h={text}")
    (listed,) = here.json("list")
    shown = here.json("show", "x")
    exported = here.json("export")["entries"]["x"]
    for row in (listed, shown, exported):
        assert row["args"] == json.loads(text)
        assert repr(loads(json.dumps(row["args"]))) == repr(list(ALIKE))
        assert repr(loads(json.dumps(row["kwargs"]))) == repr({"k": list(ALIKE)})
        assert repr(loads(json.dumps(row["options"]))) == repr({"headers": {"h": list(ALIKE)}})
    assert json.dumps(DATE, separators=(",", ":")) in here("show", "x").out
    here.file("export.yaml", here("export").out)
    assert "unchanged" in here("apply", "export.yaml").out
    assert here.json("apply", "export.yaml")["unchanged"] == 1
    here("remove", "x")
    here("apply", "export.yaml")
    assert here.json("show", "x")["args"] == json.loads(text)


def test_an_edit_keeps_the_types_of_what_it_does_not_name(here: Here) -> None:
    add(here, "--args", json.dumps([DATE]), "--kwargs", json.dumps({"a": PRICE, "b": 1}))
    here("edit", "x", "--priority", "3", "--option", "headers.day=" + json.dumps(DATE))
    row = here.json("show", "x")
    assert (row["args"], row["kwargs"]) == ([DATE], {"a": PRICE, "b": 1})
    assert row["options"]["headers"] == {"day": DATE}
    assert "is like that already" in here("edit", "x", "--args", json.dumps([DATE])).out
    assert "0.0" in here("edit", "x", "--args", "[0.0]").out
    assert "is like that already" not in here("edit", "x", "--args", "[0]").out


@pytest.mark.parametrize(
    ("script", "args"),
    [
        ("s/2027-01-01/2028-02-29/", [{**DATE, "__value__": "2028-02-29"}, 0]),
        ('s/2027-01-01/\\"2027-01-01\\"/', ["2027-01-01", 0]),
        ("s/, 0/, 0.0/", [DATE, 0.0]),
        ("s/, 0/, false/", [DATE, False]),
        ("s/, 0/, !decimal 0/", [DATE, {**PRICE, "__value__": "0"}]),
        ("s/, 0/, null/", [DATE, None]),
    ],
)
def test_the_editor_sees_a_date_and_tells_zeros_apart(
    here: Here, monkeypatch: pytest.MonkeyPatch, script: str, args: list[Any]
) -> None:
    add(here, "--args", json.dumps([DATE, 0]), "--kwargs", json.dumps({"k": PRICE}))
    editor(here.folder, monkeypatch, f'sed -i "/args/{script}" $1')
    here("edit", "x")
    row = here.json("show", "x")
    assert json.dumps(row["args"]) == json.dumps(args) and row["kwargs"] == {"k": PRICE}
    editor(here.folder, monkeypatch, "echo >>$1")
    assert here("edit", "x").line == "nothing was changed"


def test_applying_a_date_again_writes_nothing_and_its_text_is_a_change(here: Here) -> None:
    file = here.file(
        "s.yaml",
        "entries: {x: {task: t, every: 1h, "
        "args: [2027-01-01, !decimal 1.0, 2027-01-01T00:00:00Z]}}",
    )
    assert here.json("apply", file)["added"] == ["x"]
    assert here.json("apply", file)["unchanged"] == 1
    for before, after in (
        ("[2027-01-01,", "['2027-01-01',"),
        ("!decimal 1.0", "!decimal 1.00"),
        ("!decimal 1.00", "1.0"),
        ("00:00Z", "00:00"),
    ):
        file.write_text(file.read_text().replace(before, after))
        assert here.json("apply", file)["changed"] == ["x"], after
        assert here.json("apply", file)["unchanged"] == 1


DEEP = "[" * 5000 + "]" * 5000


@pytest.mark.parametrize(
    "words",
    [
        ("--args", DEEP),
        ("--args", "[" * 60 + "]" * 60),
        ("--kwargs", f'{{"k": {DEEP}}}'),
        ("--header", f"h={DEEP}"),
        ("--option", f"link={DEEP}"),
    ],
)
def test_arguments_that_are_nested_too_deeply_are_refused_in_one_line(
    here: Here, words: tuple[str, ...]
) -> None:
    ended = here("add", "x", "--task", "t", "--every", "5m", *words, code=2)
    assert "nested deeper than 50 levels" in ended.line and len(ended.line) < 200


def test_so_are_those_of_a_file(here: Here) -> None:
    here.config(f"entries: {{x: {{task: t, every: 1h, args: {DEEP}}}}}\n")
    assert "is nested deeper than" in here("check", code=1).out
