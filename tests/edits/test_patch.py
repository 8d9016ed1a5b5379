"""Patches: changes of single keys, deep in an entry."""

import pytest

from beatd.edits.patch import difference, patched
from beatd.errors import ConfigError


def test_a_patch_reaches_into_options_and_headers() -> None:
    plain = {"task": "t", "cron": "@daily", "options": {"queue": "q", "headers": {"a": 1}}}
    fields = {"options.headers.b.c": 2, "options.priority": 1, "kwargs.x.y": 3, "every": "5m"}
    assert patched(plain, fields, ["options.queue", "options.nothing", "kwargs.no"]) == {
        "task": "t",
        "options": {"headers": {"a": 1, "b.c": 2}, "priority": 1},
        "kwargs": {"x.y": 3},
        "every": "5m",
    }
    assert plain["options"] == {"queue": "q", "headers": {"a": 1}}


def test_a_patch_of_an_unknown_key_is_refused() -> None:
    for key in ("quue", "task.x", "headers.x"):
        with pytest.raises(ConfigError, match="is not a key of an entry"):
            patched({}, {key: 1})


def test_a_difference_leads_from_one_to_the_other() -> None:
    before = {"task": "t", "every": "5m", "options": {"queue": "q", "priority": 1}, "args": [1]}
    after = {"task": "t", "cron": "@daily", "options": {"priority": True}, "args": [1]}
    fields = difference(before, after)
    assert fields == {
        "every": None,
        "options.queue": None,
        "options.priority": True,
        "cron": "@daily",
    }
    sets = {key: value for key, value in fields.items() if value is not None}
    assert patched(before, sets, [key for key in fields if key not in sets]) == after
