"""How the messages of an entry are found among those of another scheduler."""

from beatd.definition import entry_from
from beatd.shadow.saved_tally import key_of


def test_a_canvas_is_found_by_its_first_task() -> None:
    first = {"task": "proj.extract", "args": [2026], "kwargs": {"a": 1}}
    nightly = entry_from("nightly", {"every": "1h", "chain": [first, "proj.load"]})
    single = entry_from("single", {"every": "1h", **first})
    assert key_of(nightly) == key_of(single)
    fan_out = entry_from("fan-out", {"every": "1h", "group": ["proj.shop", "proj.load"]})
    assert key_of(fan_out)[0] == "proj.shop"
