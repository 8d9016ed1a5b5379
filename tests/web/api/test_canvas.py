"""Entries that run a chain, a group or a chord, by the API."""

from tests.web.api.client import Client, entry

STEPS = [{"task": "proj.extract"}, {"task": "proj.load", "args": [7]}]


def test_a_task_is_replaced_by_a_chain_and_back(api: Client) -> None:
    etag = api.create("nightly", every="1h")
    answer = api("PATCH", entry("nightly"), {"chain": STEPS}, If_Match=etag)
    assert answer.status == 200, answer.body
    assert (answer.body["task"], answer.body["chain"]) == (None, STEPS)
    assert answer.body["definition"] == {"chain": STEPS, "every": "1h", "tz": "UTC"}
    answer = api("PATCH", entry("nightly"), {"task": "proj.one"}, If_Match=answer.etag)
    assert (answer.body["task"], "chain" in answer.body) == ("proj.one", False)
    put = {"group": STEPS, "every": "1h"}
    answer = api("PUT", entry("nightly"), put, If_Match=answer.etag)
    assert (answer.status, answer.body["group"]) == (200, STEPS)


def test_a_mistake_points_at_its_step(api: Client) -> None:
    steps = ["proj.extract", "proj.transform", {"task": "proj.load", "args": 7}]
    answer = api("POST", "preview", {"entry": {"chain": steps, "every": "1h"}})
    assert answer.body["problems"] == [
        {"pointer": "/entry/chain/2/args", "detail": "7 is not a list; write it like [2, 2]"}
    ]


def test_other_arguments_for_a_run_of_a_canvas_are_refused(api: Client) -> None:
    api("PUT", entry("nightly"), {"chain": STEPS, "every": "1h"}, If_None_Match="*")
    answer = api("POST", f"{entry('nightly')}/trigger", {"args": [1]})
    assert answer.status == 422, answer.body
    assert "runs a chain, whose steps have arguments of their own" in answer.body["detail"]
    assert api("POST", f"{entry('nightly')}/trigger").status in (200, 202)
