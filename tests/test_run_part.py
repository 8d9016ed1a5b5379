"""When a run of a canvas has ended, by the tasks that ended."""

import pytest

from beatd.definition.canvas_steps import read_canvas
from beatd.errors import dotted
from beatd.run_part import all_ended, delivery_id, part_in, parts_of_run


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
        "chord.header[0]": "0,2+2/4:1/4",
        "chord.header[1]": "1,2+2/4:2/4",
        "chord.body.group[0]": "2/4:3/4",
        "chord.body.group[1]": "3/4:4/4",
    }
    chunks = {"args": [[1], [2], [3]], "size": 2}
    assert parts(group={"task": "a", "chunks": chunks}) == {
        "group[0]": "0/2:1/2",
        "group[1]": "1/2:2/2",
    }
    assert parts(chain=[{"group": ["a", "b"]}, "c"]) == {
        "chain[0].group[0]": "0,2+1/3:1/3",
        "chain[0].group[1]": "1,2+1/3:2/3",
        "chain[1]": "2/3:3/3",
    }
    assert parts(chain=["a", {"group": {"task": "b", "chunks": chunks}}, "c", "d"]) == {
        "chain[0]": "0+3/3:1/5",
        "chain[1].group[0]": "0,2+1/3:2/5",
        "chain[1].group[1]": "1,2+1/3:3/5",
        "chain[2]": "2+1/3:4/5",
        "chain[3]": "2/3:5/5",
    }


def test_a_canvas_in_the_header_of_a_chord_has_ends_of_its_own() -> None:
    inner = {"chord": {"header": ["a", "b"], "body": {"chain": ["c", "d"]}}}
    assert parts(chord={"header": [inner, {"chain": ["e", "f"]}, "g"], "body": "h"}) == {
        "chord.header[0].chord.header[0]": "0,2+1,5+1/6:1/8",
        "chord.header[0].chord.header[1]": "1,2+1,5+1/6:2/8",
        "chord.header[0].chord.body.chain[0]": "2+1,5+1/6:3/8",
        "chord.header[0].chord.body.chain[1]": "2,5+1/6:4/8",
        "chord.header[1].chain[0]": "3+1,5+1/6:5/8",
        "chord.header[1].chain[1]": "3,5+1/6:6/8",
        "chord.header[2]": "4,5+1/6:7/8",
        "chord.body": "5/6:8/8",
    }


def test_a_part_is_never_too_long_for_the_id_of_a_delivery() -> None:
    canvas: object = "a"
    for _ in range(19):
        canvas = {"chord": {"header": ["b", canvas, "c"], "body": "d"}}
    found = parts(chain=["e", canvas])
    assert found["chain[1].chord.header[0]"] == "0+1/1:2/59"
    assert all(part_in(delivery_id("0f1e", text)) for text in found.values())


@pytest.mark.parametrize("text", ["0/1:1/1", "2+4/12:3/20", "0,2+1,5+1/6:1/8"])
def test_a_part_is_read_from_the_id_of_a_delivery(text: str) -> None:
    part = part_in(delivery_id("0f1e", text))
    assert part is not None and str(part) == text


@pytest.mark.parametrize(
    "text", ["", "x", "1/2/3", "1", "1/2", "9999999/1:1/1", ",1/2:1/1", "1,2/3:1/1"]
)
def test_an_id_without_a_part_is_of_one_task(text: str) -> None:
    assert delivery_id("0f1e", text) == "0f1e" and part_in("0f1e") is None


def over(*ended: tuple[str, str]) -> bool:
    """Return whether a run is over of which these tasks ended in these states."""
    found = [(part_in(f"d.{text}"), state) for text, state in ended]
    return all_ended((part, state) for part, state in found if part is not None)


def test_a_failed_task_ends_what_follows_it() -> None:
    first, last = "0+1/1:1/2", "0/1:2/2"
    assert not over((first, "succeeded"))
    assert over((first, "failed")) and over((first, "succeeded"), (last, "failed"))


def test_a_task_that_succeeded_the_second_time_ends_nothing_that_follows_it() -> None:
    first, second, last = "0+1/1:1/3", "0+1/1:2/3", "0/1:3/3"
    again = (first, "lost"), (first, "succeeded")
    assert not over(*again) and not over(*reversed(again))
    assert not over(*again, (second, "succeeded"))
    assert over(*again, (second, "failed"))
    assert over(*again, (second, "succeeded"), (last, "succeeded"))


def test_a_group_has_ended_when_all_of_it_has() -> None:
    one, other = "0/2:1/2", "1/2:2/2"
    assert not over((one, "failed"), (one, "succeeded"))
    assert over((one, "failed"), (other, "succeeded"))


def test_a_chord_whose_header_failed_has_ended_when_all_of_the_header_has() -> None:
    one, other, body = "0,2+1/3:1/3", "1,2+1/3:2/3", "2/3:3/3"
    assert not over((one, "failed"))
    assert over((one, "failed"), (other, "succeeded"))
    assert not over((one, "succeeded"), (other, "succeeded"))
    assert over((one, "succeeded"), (other, "succeeded"), (body, "succeeded"))


def test_ends_after_a_large_header_are_collected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    spans: list[tuple[int, ...]] = []

    def counted(*span: int) -> range:
        spans.append(span)
        return range(*span)

    monkeypatch.setattr("beatd.run_part.range", counted, raising=False)
    texts = [f"{end},100+200/300:{end + 1}/300" for end in range(100)]
    parts = [part_in(f"a.{text}") for text in texts]
    assert all_ended((part, "failed") for part in parts if part is not None)
    assert spans == [(100, 300)]
