"""Entries as stores keep them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beatd.definition import codec, entry_from
from beatd.errors import ConfigError

WHEN = (
    {"every": "30s"},
    {"every": 0.5, "spread": True},
    {"every": "1h", "phase": "7s"},
    {"every": "1h", "phase": 7},
    {"every": "1h", "phase": {"minutes": 1.5}},
    {"every": "3d", "start": "2027-01-01T00:00:00.000001Z"},
    {"cron": "30 2 * * mon-fri"},
    {"cron": "H H(0-3) * * *"},
    {"crontab": {"minute": "0", "hour": "*/3"}},
    {"at": "2027-01-01"},
    {"rrule": "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17"},
    {"solar": {"event": "sunset", "lat": 31.2, "lon": 121.5}},
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    when=st.sampled_from(WHEN),
    args=st.lists(JSON, max_size=3),
    kwargs=st.dictionaries(st.text(), JSON, max_size=3),
    rest=st.fixed_dictionaries(
        {},
        optional={
            "tz": st.sampled_from(["Europe/Berlin", "Asia/Shanghai"]),
            "enabled": st.booleans(),
            "end": st.just("2030-01-01T00:00:00Z"),
            "max_runs": st.integers(1, 10),
            "jitter": st.just("90s"),
            "dst_gap": st.sampled_from(["run", "skip"]),
            "dst_fold": st.sampled_from(["first", "last", "both"]),
            "catch_up": st.sampled_from(["latest", "skip"]),
            "catch_up_window": st.just("1h"),
            "grace": st.just("0s"),
            "on_unknown": st.sampled_from(["resend", "skip"]),
            "alert": st.sampled_from([{}, {"failed": 1}, {"late": "1m", "recovered": 2}]),
            "description": st.text(max_size=20),
        },
    ),
)
def test_what_was_stored_comes_back_as_it_was(when, args, kwargs, rest) -> None:  # type: ignore[no-untyped-def]
    entry = entry_from(
        "a", {"task": "t", **when, "args": args, "kwargs": kwargs, **rest}, declared_at="x:1"
    )
    assert codec.decode("a", codec.encode(entry), "cli", "x:1") == entry


def test_the_name_decides_where_it_has_a_say() -> None:
    for when in ({"cron": "H * * * *"}, {"every": "1h", "spread": True}):
        stored = codec.encode(entry_from("a", {"task": "t", **when}))
        assert codec.decode("b", stored, "cli", "") == entry_from("b", {"task": "t", **when})


@pytest.mark.parametrize(
    "definition",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"task":"t"}',
        b'{"every":"1s"}',
        b'{"task":"t","every":"1s","of_a_newer_beatd":1}',
        b'{"task":"t","every":"nonsense"}',
        b'{"task":"t","every":"1s","jitter":"x"}',
        b'{"task":"t","every":"1s","tz":"Mars/Crater"}',
        b'{"task":"\xff","every":"1s"}',
        b'{"task":"t","every":"\xff"}',
        b'{"task":"t","every":"1s","alert":"\xff"}',
        b'{"task":"t","every":"1s","a\\nb":1}',
    ],
)
def test_a_definition_that_cannot_be_understood_is_one_line(definition: bytes) -> None:
    with pytest.raises(ConfigError, match="entry 'a' in the store cannot be read") as refusal:
        codec.decode("a", definition, "cli", "")
    assert "\n" not in str(refusal.value)


def test_arguments_that_look_like_a_date_are_arguments() -> None:
    date = '{"__type__":"date","__value__":"2027-01-01"}'
    text = f'{{"task":"t","every":"1s","kwargs":{date},"options":{date}}}'
    entry = codec.decode("a", text.encode(), "cli", "")
    assert entry.kwargs == entry.options == {"__type__": "date", "__value__": "2027-01-01"}
