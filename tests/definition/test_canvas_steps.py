"""Mistakes in the steps of a chain, a group or a chord, with the place and the exact text."""

from pathlib import Path
from typing import Any

import pytest

from beatd.config import load_entries
from beatd.definition import check, codec, json_plain_of, plain_of
from beatd.entry import Step
from beatd.errors import dotted

MISTAKES: list[tuple[dict[str, Any], list[str]]] = [
    ({"chain": []}, ["chain: is empty; give at least one step"]),
    ({"chain": "proj.load"}, [
        "chain: 'proj.load' is not a list of steps; write it like [proj.extract, proj.load]",
    ]),
    ({"chain": [{"args": [1]}]}, [
        "chain[0]: has no task; give one of task, chain, group, chord",
    ]),
    ({"chain": ["a", {"taks": "b"}]}, [
        "chain[1].taks: is not a key of a step; did you mean task?",
    ]),
    ({"chain": ["a", {"task": "b", "optoins": {}}]}, [
        "chain[1].optoins: is not a key of a step; did you mean options?",
    ]),
    ({"chain": ["a", "b", {"task": "c", "args": [{1, 2}]}]}, [
        "chain[2].args[0]: {1, 2} is a set, which JSON cannot carry",
    ]),
    ({"chain": ["a", None]}, ["chain[1]: is empty; give a step, like {task: proj.load}"]),
    ({"chain": ["a", 7]}, ["chain[1]: 7 is not a step; write it like {task: proj.load}"]),
    ({"chain": [{"task": "a", "chain": ["b"]}]}, [
        "chain[0].chain: task and chain are given; a step is one of them",
    ]),
    ({"chain": ["a"], "group": ["b"]}, [
        "group: chain and group are given; an entry runs one task or one canvas",
    ]),
    ({"chain": ["a"], "args": [1]}, [
        "args: belongs to a task; give it to a step of the chain",
    ]),
    ({"chord": {"header": ["a"]}}, ["chord.body: is missing; a chord has header and body"]),
    ({"chord": {"header": [], "body": "b"}}, [
        "chord.header: is empty; give at least one step",
    ]),
    ({"group": {"task": "a"}}, ["group: is one task without chunks; write a list of steps"]),
    ({"group": {"task": "a", "chunks": {"args": [[1]], "size": 0}}}, [
        "group.chunks.size: 0 is out of range; 1 or more will do",
    ]),
    ({"chain": [{"task": "a", "options": {"expires": "next"}}]}, [
        "chain[0].options.expires: next is for a whole run; give it to the options of the entry",
    ]),
    ({"chain": [{"task": "a", "options": {"link": ["b", {"taks": "c"}]}}]}, [
        "chain[0].options.link[1].taks: is not a key of a step; did you mean task?",
    ]),
    ({"chain": [{"task": "a", "options": {"link_error": {"task": 7, "subtask_type": "chord"}}}]}, [
        "chain[0].options.link_error[0]: is no signature that beatd knows; write it like "
        "{task: proj.load}",
    ]),
    ({"chain": [{"task": "a", "options": {"exchange": []}}]}, [
        "chain[0].options.exchange: [] is not a name",
    ]),
    ({"chain": [{"task": "a", "options": {"stamped_headers": ["by"]}}]}, [
        "chain[0].options.stamped_headers: names 'by', which has no value; add "
        "by: VALUE to the options",
    ]),
    ({"chain": [{"task": "a", "options": {"stamped_headers": ["by"], "by": [1]}}]}, []),
    ({}, ["task: is missing; give the name of the task to run, or a chain, group or chord"]),
]  # fmt: skip


def problems(given: dict[str, Any]) -> list[str]:
    return [str(one) for one in check("nightly", {"every": "1h", **given}).problems]


@pytest.mark.parametrize(("given", "texts"), MISTAKES)
def test_a_mistake_is_named_with_its_step(given: dict[str, Any], texts: list[str]) -> None:
    assert problems(given) == texts


def test_a_canvas_that_is_part_of_itself_is_refused() -> None:
    steps: list[Any] = ["a"]
    steps.append({"chain": steps})
    (text,) = {one.partition(": ")[2] for one in problems({"chain": steps})}
    assert text == "is nested deeper than 20 canvases"


def test_a_type_in_a_step_that_workers_do_not_know_is_a_warning() -> None:
    steps = [{"task": "a", "args": [{"__type__": "dat", "__value__": "2027-01-01"}]}]
    checked = check("nightly", {"every": "1h", "chain": steps})
    assert [(dotted(one.path), one.warning) for one in checked.problems] == [
        ("chain[0].args", True)
    ]
    assert "did you mean date?" in checked.problems[0].text


def test_a_word_in_a_step_that_yaml_reads_in_two_ways_is_a_warning(tmp_path: Path) -> None:
    text = "entries:\n  x:\n    every: 1h\n    chain:\n    - a\n    - {task: b, args: [on]}\n"
    (tmp_path / "e.yaml").write_text(text)
    (problem,) = load_entries(["e.yaml"], folder=str(tmp_path)).problems
    assert problem.warning and problem.path[-3:] == (1, "args", 0)
    assert str(problem).endswith("'on' is text here, and something else in YAML 1.1; quote it"), (
        str(problem)
    )


@pytest.mark.parametrize(
    "canvas",
    [
        {"chain": ["a", {"task": "b", "args": [1], "immutable": True, "link": ["c"]}]},
        {"group": {"task": "a", "chunks": {"args": [[1, 1], [2, 2]], "size": 2}}},
        {"chord": {"header": ["a", {"chain": ["b", "c"]}], "body": {"task": "d"}}},
    ],
)
def test_a_canvas_comes_back_from_a_store_and_from_yaml(canvas: dict[str, Any]) -> None:
    entry = check("x", {"every": "1h", **canvas}).entry
    assert entry is not None
    assert codec.decode("x", codec.encode(entry), "cli", "") == entry
    assert check("x", plain_of(entry)).entry == entry
    assert check("x", json_plain_of(entry)).entry == entry


def test_links_in_the_options_of_a_step_are_its_own() -> None:
    celerys = {"task": "c", "args": [1], "kwargs": {}, "options": {"queue": "q"}}
    celerys |= {"subtask_type": None, "immutable": True}
    options = {"queue": "h", "link": celerys, "link_error": ["d", {"task": "e"}]}
    checked = check("x", {"every": "1h", "chain": [{"task": "a", "link": "b", "options": options}]})
    assert not checked.problems and checked.entry is not None and checked.entry.canvas is not None
    (step,) = checked.entry.canvas.chain
    link = Step(task="c", args=(1,), options={"queue": "q"}, immutable=True)
    assert step.options == {"queue": "h"} and step.link == (Step(task="b"), link)
    assert step.link_error == (Step(task="d"), Step(task="e"))


def test_the_default_exchange_has_no_name() -> None:
    options = {"exchange": "", "routing_key": "q"}
    checked = check("x", {"every": "1h", "chain": [{"task": "a", "options": options}]})
    assert not checked.problems and checked.entry is not None and checked.entry.canvas is not None
    assert checked.entry.canvas.chain[0].options == options
