"""Whatever is written, it is read or refused in whole lines; nothing else happens."""

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from beatd.config import examine, load_entries
from beatd.config.yaml import Read, parse_yaml
from beatd.definition import DEFAULTABLE, FIELDS, KINDS, check, codec
from beatd.definition.arguments import same
from beatd.errors import Problem
from tests.typed import ALIKE

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "config.example.yaml").read_bytes()
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(ALIKE)
    | st.sampled_from(["30s", "next", "* * * * *", "2027-01-01", "Europe/Berlin", "${X}", "all"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
KEY = st.sampled_from([*KINDS, *(field.name for field in FIELDS), "nonsense"])


def are_lines(problems: Any) -> None:
    for problem in problems:
        assert isinstance(problem, Problem)
        assert str(problem).isprintable() or "\n" not in str(problem)
        assert len(str(problem)) < 1000, str(problem)


@given(name=st.text(max_size=300) | JUNK, plain=st.dictionaries(KEY, JUNK, max_size=6) | JUNK)
@settings(max_examples=600, deadline=None)
def test_an_entry_of_anything(name: Any, plain: Any) -> None:
    checked = check(name, plain)
    are_lines(checked.problems)
    if checked.entry is None:
        assert any(not problem.warning for problem in checked.problems)
    else:
        stored = codec.encode(checked.entry)
        assert same(codec.decode(checked.entry.name, stored, "cli", ""), checked.entry)


@given(defaults=st.dictionaries(st.sampled_from(DEFAULTABLE), JUNK, max_size=4))
@settings(max_examples=100, deadline=None)
def test_defaults_of_anything(defaults: Any) -> None:
    are_lines(check("a", {"task": "t", "every": "1s"}, defaults=defaults).problems)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_the_example_with_anything_done_to_it(tmp_path_factory: Any, data: Any) -> None:
    text = bytearray(EXAMPLE)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        end = at + data.draw(st.integers(0, 20))
        text[at:end] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b": ", b"\n- ", b"&a ", b"*a", b"{", b"["])
        )
    path = tmp_path_factory.getbasetemp() / "mutated.yaml"
    path.write_bytes(text)
    are_lines(examine(path, environment={}).problems)
    are_lines(load_entries([str(path)], environment={}).problems)


@given(text=st.text(alphabet="ab:- \n[]{}&*!|>'\"#%@`,?<~0129.${}", max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text(text: str) -> None:
    read = Read("f")
    parse_yaml(text, read, {})
    are_lines(read.problems)
