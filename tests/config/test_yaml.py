"""YAML as beatd reads it: YAML 1.2 scalars, lines, and nothing that grows."""

from typing import Any

import pytest

from beatd.config.located_data import Word, line_of
from beatd.config.yaml import MAX_DEPTH, MAX_FILE_BYTES, Read, parse_yaml, read_yaml
from beatd.definition.arguments import Timestamp


def read(text: str, **environment: str) -> Read:
    found = Read("f")
    parse_yaml(text, found, environment)
    return found


def value(text: str) -> Any:
    found = read(f"v: {text}\n")
    assert not found.problems, found.problems
    return found.data["v"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5),
        ("-5", -5),
        ("+5", 5),
        ("0", 0),
        ("0x1F", 31),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1.0e+3", 1000.0),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        ("plain words", "plain words"),
        ("2027-01", "2027-01"),
    ],
)
def test_a_scalar_is_read_as_yaml_1_2_has_it(text: str, expected: Any) -> None:
    found = value(text)
    assert found == expected and type(found) in (type(expected), str)
    assert not isinstance(found, Word)


@pytest.mark.parametrize(
    "text", ["yes", "No", "on", "OFF", "12:30", "1:30:00", "010", "0o17", "0b11", "1_000", "1e3"]
)
def test_what_the_versions_of_yaml_disagree_on_is_text_and_marked(text: str) -> None:
    found = value(text)
    assert found == text and isinstance(found, Word)


@pytest.mark.parametrize(
    "text",
    ["2027-01-01", "2027-01-01T09:00:00+08:00", "2027-01-01 09:00:00.5", "!!timestamp 2027-01-01"],
)
def test_a_date_is_text_that_arguments_read_as_one(text: str) -> None:
    found = value(text)
    assert isinstance(found, Timestamp) and found == text.removeprefix("!!timestamp ")


def test_keys_are_text() -> None:
    assert read("1: a\non: b\nnull: c\n").data == {"1": "a", "on": "b", "null": "c"}


def test_lines_are_known_down_to_the_value() -> None:
    data = read("a:\n  b:\n    - x\n    - y: 1\n").data
    assert line_of(data, ("a", "b", 1, "y")) == 4
    assert line_of(data, ("a", "b", 7)) == 2
    assert line_of(data, ("missing",)) == 1


def test_a_key_given_twice_is_told_and_the_first_stays() -> None:
    found = read("a: 1\nb: 2\na: 3\n")
    assert [str(p) for p in found.problems] == ["f:3: 'a' is given twice (first on line 1)"]
    assert found.data == {"a": 1, "b": 2}


def test_anchors_aliases_and_merges_work() -> None:
    found = read("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\nc: [*x]\nd: {<<: [*x, {r: 4}]}\n")
    assert found.data["b"] == {"p": 1, "q": 3}
    assert found.data["c"] == [{"p": 1, "q": 2}]
    assert found.data["d"] == {"p": 1, "q": 2, "r": 4}


LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (LAUGHS, 6, "aliases stand for more than"),
        ("a: &a [*a]\n", 1, "the alias *a stands inside its own value; write it out"),
        ("a: &a {b: [{c: *a}]}\n", 1, "stands inside its own value"),
        (f"a: *{'x' * 5000}\n", 1, f"the alias *{'x' * 60} stands for nothing"),
        ("a: *b\n", 1, "in quotes"),
        ("a: */5 * * * *\n", 1, "in quotes"),
        ("a: @daily\n", 1, "in quotes"),
        ("a: {b: ${X}}\n", 1, "in quotes"),
        ("a: b: c\n", 1, "in quotes"),
        ("a:\n\t- b\n", 2, "tabs"),
        ("a: [1, 2\nb: 3\n", 2, "is not YAML"),
        ("a: 'x\n", 2, "is not YAML"),
        ("a:\n  b: 1\n  c 2\n  d: 3\n", 3, "expected ':'; write a key as KEY: VALUE"),
        ("a:\n  b: 1\n  c 2\n\n  # no key\ne: 3\n", 3, "expected ':'"),
        ("a:\n  b:3\n  c: 2\n", 2, "expected ':'"),
        ("a:  # one: two\n  b 1\n  c: 2\n", 2, "expected ':'"),
        ("# first\na\n\n  b: 1\n", 2, "expected ':'"),
        ("a:\n- b 1\n  c: 2\n", 2, "expected ':'"),
        ("a: b\n  c: 2\n", 2, "check the indent"),
        ("a: b\n  c\n  d: 2\n", 3, "check the indent"),
        ("a:\n  b\n  c: d: e\n", 2, "expected ':'"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: !!python/object:os.system [x]\n", 1, "the tag"),
        ("a: !!python/object/apply:os.system ['x']\n", 1, "the tag"),
        ("a: !!binary a\n", 1, "the tag"),
        ("a: !!set {a, b}\n", 1, "the tag '!!set' is not used here"),
        ("? [a]\n: 1\n", 1, "a key is text"),
        ("a: {<<: 5}\n", 1, "<< takes"),
        ("[" * 2000, 1, "deeper"),
        ("a: " + "[" * 5000 + "]" * 5000, 1, "deeper"),
        ("a: " + "{a: " * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1), 1, "deeper"),
        ("a: ${MISSING}\n", 1, "${MISSING} is not set"),
        ("a: ${}\n", 1, "names no variable"),
        ("a: ${X\n", 1, "names no variable"),
    ],
)
def test_bad_yaml_is_one_line_with_its_place(text: str, line: int, words: str) -> None:
    problems = read(text).problems
    assert len(problems) == 1
    assert problems[0].place == f"f:{line}"
    assert words in problems[0].text
    assert "\n" not in str(problems[0]) and len(str(problems[0])) < 250


def test_variables_come_from_the_environment() -> None:
    text = 'a: ${X}\nb: "${X}-${Y:-no}"\nc: $${X}\nd: ${N}\ne: ${E:-5}\nf: ${E}\ng: $X {}\n'
    data = read(text, X="x", N="30", E="").data
    assert data == {"a": "x", "b": "x-no", "c": "${X}", "d": 30, "e": 5, "f": None, "g": "$X {}"}


def test_a_variable_cannot_bring_in_yaml() -> None:
    assert read("a: ${X}\n", X="{b: 1}\nc: 2").data == {"a": "{b: 1}\nc: 2"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: \xff\n", "f:1: is not UTF-8: byte 0xff"),
        (b"ok: 1\na: \xe4\n", "f:2: is not UTF-8"),
        (b"\xff\xfea\x00", "is not UTF-8"),
        (b"a: \x00\n", "is not YAML"),
        (b"a: \x07\n", "is not YAML"),
        (b"x" * (MAX_FILE_BYTES + 1), "larger than 10 MB"),
    ],
)
def test_a_file_that_is_no_text_is_one_line(tmp_path, content: bytes, words: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "f"
    path.write_bytes(content)
    found = read_yaml(path, "f", {})
    assert [words in str(problem) for problem in found.problems] == [True], found.problems
    assert found.data is None


def test_a_missing_file_a_folder_and_a_byte_order_mark(tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert "no such file" in str(read_yaml(tmp_path / "x", "x", {}).problems[0])
    assert str(read_yaml(tmp_path, "d", {}).problems[0]) == "d: is a folder; give a file"
    assert "not a path" in str(read_yaml(tmp_path / "a\0b", "x", {}).problems[0])
    (tmp_path / "bom").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(tmp_path / "bom", "bom", {}).data == {"a": 1}
