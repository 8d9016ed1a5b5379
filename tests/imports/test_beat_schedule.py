"""Signatures as the `task` of an entry in the beat_schedule of an app that is imported."""

from pathlib import Path

import pytest

from beatd.definition.as_plain import json_plain_of
from beatd.imports.beat_schedule import read_app
from beatd.imports.to_entries import to_entries

APP = """
from celery import Celery, chain, group, signature

app = Celery("signatures", broker="memory://", set_as_current=False)


@app.task(name="a", shared=False)
def a(*args): ...


app.conf.beat_schedule = {
    "nightly": {
        "task": chain(a.s(1), group(a.s(), a.si())), "schedule": 60, "options": {"queue": "q"}
    },
    "single": {"task": a.s(1).set(priority=3), "schedule": 60, "options": {"queue": "q"}},
    "beside": {"task": chain(a.s(), a.s()), "schedule": 60, "args": (2,)},
    "named": {"task": "a", "schedule": 60, "args": (2,)},
    "none": {"schedule": 60},
}
"""


def test_signatures_are_imported_as_the_daemon_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "signatures_app.py").write_text(APP)
    monkeypatch.syspath_prepend(tmp_path)
    read, timezone = read_app("signatures_app:app")
    made = to_entries(read.found, timezone=timezone, source="x")
    assert not read.refused
    plain = {one.entry.name: json_plain_of(one.entry) for one in made.entries}
    step = {"task": "a", "immutable": True}
    assert plain["nightly"]["chain"] == [
        {"task": "a", "args": [1]},
        {"group": [{"task": "a"}, step]},
    ]
    assert plain["nightly"]["options"] == {"queue": "q"}
    single = plain["single"]
    assert (single["task"], single["args"]) == ("a", [1])
    assert single["options"] == {"priority": 3, "queue": "q"}
    assert plain["named"]["args"] == [2]
    assert sorted(one.name for one in made.refused) == ["beside", "none"]
