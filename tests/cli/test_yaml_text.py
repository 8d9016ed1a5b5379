"""Entries written as YAML, and read back."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from beatd.cli.yaml_text import file_of
from beatd.config import load_entries
from beatd.definition import check
from beatd.definition.arguments import same

WHEN = st.sampled_from(
    [{"every": "30s"}, {"every": "1h", "phase": "7s"}, {"cron": "H 2 * * *"}, {"at": "2036-01-01"}]
)
WORDS = st.sampled_from(["a", "no", "12:30", "${X}", "é #"])
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "queue": st.none() | WORDS,
        "priority": st.none() | st.integers(0, 9),
        "expires": st.sampled_from([None, "next", "1h"]),
        "headers": st.none() | st.dictionaries(WORDS, st.integers(), max_size=2),
    },
)
FIELDS = {
    "tz": st.sampled_from(["Europe/Berlin", "Asia/Tokyo"]),
    "args": st.none() | st.lists(WORDS | st.integers() | st.none(), max_size=2),
    "kwargs": st.none() | st.dictionaries(WORDS, st.booleans() | WORDS, max_size=2),
    "options": st.none() | OPTIONS,
    "enabled": st.booleans(),
    "start": st.just("2026-01-01T00:00:00Z"),
    "end": st.just("2037-01-01T00:00:00Z"),
    "max_runs": st.none() | st.integers(1, 5),
    "jitter": st.sampled_from(["0s", "5s"]),
    "dst_gap": st.sampled_from(["run", "skip"]),
    "catch_up": st.sampled_from(["latest", "skip"]),
    "catch_up_window": st.none() | st.just("1h"),
    "grace": st.sampled_from(["0s", "10s"]),
    "on_unknown": st.sampled_from(["resend", "skip"]),
}
GIVEN = st.fixed_dictionaries({}, optional=FIELDS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: Any) -> Path:
    made: Path = tmp_path_factory.mktemp("exported")
    return made


@given(when=WHEN, fields=GIVEN, defaults=GIVEN, others=GIVEN)
def test_what_is_exported_is_read_back_whatever_the_defaults(
    folder: Path,
    when: dict[str, Any],
    fields: dict[str, Any],
    defaults: dict[str, Any],
    others: dict[str, Any],
) -> None:
    entry = check("a b", {"task": "t", **when, **fields}, defaults=defaults).entry
    assume(entry is not None)
    assert entry is not None
    (folder / "e.yaml").write_text("".join(file_of([entry])))
    for there in ({}, defaults, others):
        read = load_entries(["e.yaml"], folder=str(folder), defaults=there, source="cli")
        assert not [problem for problem in read.problems if not problem.warning]
        (back,) = read.entries
        assert same(entry, replace(back, declared_at=""))
