"""When a run of a canvas has ended, by the tasks that ended."""

import pytest

from beatd.definition.canvas_steps import read_canvas
from beatd.errors import dotted
from beatd.run_part import RunPart, all_ended, delivery_id, part_in, parts_of_run


def parts(**plain: object) -> dict[str, str]:
    canvas, problems = read_canvas(plain, "UTC")
    assert canvas is not None and not problems
    return {dotted(path): str(part) for path, part in parts_of_run(canvas).items()}


def test_each_task_knows_the_ends_that_depend_on_it() -> None:
    assert parts(chain=["a", "b", "c"]) == {
        "chain[0]": "0+1/1:1/3",
        "chain[1]": "0+1/1:2/3",
        "chain[2]": "0/1:3/3",
    }
    assert parts(group=["a", {"chain": ["b", "c"]}, "d"]) == {
        "group[0]": "0/3:1/4",
        "group[1].chain[0]": "1+1/3:2/4",
        "group[1].chain[1]": "1/3:3/4",
        "group[2]": "2/3:4/4",
    }
    assert parts(chord={"header": ["a", "b"], "body": {"group": ["c", "d"]}}) == {
        "chord.header[0]": "0+2/2:1/4",
        "chord.header[1]": "0+2/2:2/4",
        "chord.body.group[0]": "0/2:3/4",
        "chord.body.group[1]": "1/2:4/4",
    }
    chunks = {"args": [[1], [2], [3]], "size": 2}
    assert parts(group={"task": "a", "chunks": chunks}) == {
        "group[0]": "0/2:1/2",
        "group[1]": "1/2:2/2",
    }
    assert parts(chain=[{"group": ["a", "b"]}, "c"]) == {
        "chain[0].group[0]": "0+1/1:1/3",
        "chain[0].group[1]": "0+1/1:2/3",
        "chain[1]": "0/1:3/3",
    }


@pytest.mark.parametrize("text", ["0/1:1/1", "2+4/12:3/20"])
def test_a_part_is_read_from_the_id_of_a_delivery(text: str) -> None:
    part = part_in(delivery_id("0f1e", text))
    assert part is not None and str(part) == text


@pytest.mark.parametrize("text", ["", "x", "1/2/3", "1", "1/2", "9999999/1:1/1"])
def test_an_id_without_a_part_is_of_one_task(text: str) -> None:
    assert delivery_id("0f1e", text) == "0f1e" and part_in("0f1e") is None


def test_a_failed_task_ends_what_follows_it() -> None:
    first, last = RunPart(0, 1, 1, 1, 2), RunPart(0, 0, 1, 2, 2)
    assert not all_ended([(first, "succeeded")])
    assert all_ended([(first, "failed")]) and all_ended([(first, "succeeded"), (last, "failed")])


def test_a_group_has_ended_when_all_of_it_has() -> None:
    one, other = RunPart(0, 0, 2, 1, 2), RunPart(1, 0, 2, 2, 2)
    assert not all_ended([(one, "failed"), (one, "succeeded")])
    assert all_ended([(one, "failed"), (other, "succeeded")])
