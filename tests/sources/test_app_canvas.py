"""Signatures as the `task` of an entry in an app's beat_schedule."""

import pytest
from celery import Celery, chain, chord, group
from msgspec import json

from beatd.definition import codec
from beatd.sources.app import App
from tests.fake_clock import FakeClock

app = Celery("canvases", broker="memory://", set_as_current=False)


@app.task(name="a", shared=False)
def a(*args: int) -> None: ...


A1 = {"task": "a", "args": [1]}
READ = {
    "chain": (
        chain(a.s(1), a.s().set(queue="q"), a.si()),
        {"chain": [A1, {"task": "a", "options": {"queue": "q"}}, {"task": "a", "immutable": True}]},
    ),
    "group": (group(a.s(1), a.s(1)), {"group": [A1, A1]}),
    "chord": (chord([a.s(1)], a.s()), {"chord": {"header": [A1], "body": {"task": "a"}}}),
    "chunks": (
        a.chunks([(1,), (2,)], 2),
        {"group": {"task": "a", "chunks": {"args": [[1], [2]], "size": 2}}},
    ),
    "task": (a.s(1), A1),
    "link": (
        chain(a.s(1) | a.s().on_error(a.s(1)), a.s()),
        {"chain": [A1, {"task": "a", "link_error": [A1]}, {"task": "a"}]},
    ),
}


@pytest.mark.parametrize("name", READ)
def test_a_signature_is_read(name: str) -> None:
    signature, expected = READ[name]
    app.conf.beat_schedule = {"it": {"task": signature, "schedule": 60}}
    reading = App(app, shown="x:app", name="n", clock=FakeClock()).read()
    assert not reading.problems
    (entry,) = (one for one in reading.declared.entries if one.name == "it")
    assert json.decode(codec.encode(entry)) == {**expected, "every": "1m", "tz": "UTC"}
