"""Arguments keep their types: from what is written to the entry, the store, YAML and JSON."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from msgspec import json
from msgspec.structs import replace

from beatd.cli.yaml_text import file_of
from beatd.config import load_entries
from beatd.definition import check, codec, entry_from, json_plain_of, plain_of
from beatd.definition.arguments import same
from beatd.edits.declared_set import digest_of
from beatd.edits.patch import difference
from beatd.entry import Entry
from beatd.errors import ConfigError
from tests.typed import ALIKE, ARGS, KWARGS, shown

EIGHT = timezone(timedelta(hours=8))
UUID_TEXT = "0f0e6bb3-3e31-4ee5-9b1b-5e3a5a0b6e0c"


def made(*args: Any, **more: Any) -> Entry:
    return entry_from("a", {"task": "t", "every": "1h", "args": list(args), **more})


def loaded(text: str, folder: Path) -> Entry:
    (folder / "e.yaml").write_text(f"entries:\n  a: {{task: t, every: 1h}}\n  b:\n{text}")
    read = load_entries(["e.yaml"], folder=str(folder))
    assert not read.problems, read.problems
    return read.entries[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("typed")


# there and back


@given(args=ARGS, kwargs=KWARGS, headers=KWARGS)
def test_any_arguments_come_back_from_a_store_as_they_were(
    args: list[Any], kwargs: dict[str, Any], headers: dict[str, Any]
) -> None:
    entry = made(*args, kwargs=kwargs, options={"headers": headers})
    assert shown(entry) == repr((args, kwargs, {"headers": headers}))
    back = codec.decode("a", codec.encode(entry), "cli", "")
    assert shown(back) == shown(entry) and same(back, entry)


@given(args=ARGS, kwargs=KWARGS, headers=KWARGS)
def test_any_arguments_come_back_from_yaml_as_they_were(
    folder: Path, args: list[Any], kwargs: dict[str, Any], headers: dict[str, Any]
) -> None:
    entry = made(*args, kwargs=kwargs, options={"headers": headers})
    (folder / "x.yaml").write_text("".join(file_of([entry])))
    read = load_entries(["x.yaml"], folder=str(folder), source="cli")
    assert not [problem for problem in read.problems if not problem.warning], read.problems
    (back,) = read.entries
    assert shown(back) == shown(entry) and same(replace(back, declared_at=""), entry)


@given(args=ARGS, kwargs=KWARGS)
def test_any_arguments_come_back_from_json_as_they_were(
    args: list[Any], kwargs: dict[str, Any]
) -> None:
    entry = made(*args, kwargs=kwargs)
    text = json.encode(json_plain_of(entry))
    assert shown(entry_from("a", json.decode(text))) == shown(entry)
    assert shown(entry_from("a", plain_of(entry))) == shown(entry)


# as they are written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2027-01-01", date(2027, 1, 1)),
        ("'2027-01-01'", "2027-01-01"),
        ("!!str 2027-01-01", "2027-01-01"),
        ("2027-01-01T09:00:00+08:00", datetime(2027, 1, 1, 9, tzinfo=EIGHT)),
        ("2027-01-01 09:00:00.5 -03:30", datetime(
            2027, 1, 1, 9, 0, 0, 500_000, timezone(-timedelta(hours=3, minutes=30)))),
        ("2027-01-01T09:00:00Z", datetime(2027, 1, 1, 9, tzinfo=UTC)),
        ("2027-1-1 9:00:00", datetime(2027, 1, 1, 9)),  # noqa: DTZ001
        ("!!timestamp '2027-01-01'", date(2027, 1, 1)),
        ("2027-01-01T09:00", "2027-01-01T09:00"),
        ("'09:00:00'", "09:00:00"),
        ("!time 09:00:00", time(9)),
        ("!decimal 1.50", Decimal("1.50")),
        (f"!uuid {UUID_TEXT}", UUID(UUID_TEXT)),
        ("!!binary AAEC /w==", b"\0\1\2\xff"),
        ("{__type__: datetime, __value__: '2027-01-01T09:00:00+08:00'}",
         datetime(2027, 1, 1, 9, tzinfo=EIGHT)),
        ("{__type__: datetime, __value__: 2027-01-01T09:00:00+08:00}",
         datetime(2027, 1, 1, 9, tzinfo=EIGHT)),
        ("{__type__: date, __value__: 2027-01-01}", date(2027, 1, 1)),
        ("{__type__: time, __value__: 09:00:00}", time(9)),
        ("{__type__: decimal, __value__: '1.50'}", Decimal("1.50")),
        ("{__type__: decimal, __value__: 15}", Decimal(15)),
        (f"{{__type__: uuid, __value__: {UUID_TEXT}}}", UUID(UUID_TEXT)),
        ("{__type__: uuid, __value__: {hex: 0f0e6bb33e314ee59b1b5e3a5a0b6e0c}}", UUID(UUID_TEXT)),
        ("{__type__: bytes, __value__: abc}", b"abc"),
        ("{__type__: base64, __value__: AAEC/w==}", b"\0\1\2\xff"),
    ],
)  # fmt: skip
def test_yaml_has_a_form_for_each_type(text: str, value: Any, folder: Path) -> None:
    entry = loaded(
        f"    {{task: t, every: 1h, args: [[{text}]], kwargs: {{k: {text}}}, "
        f"options: {{headers: {{h: {text}}}}}}}\n",
        folder,
    )
    assert shown(entry) == repr(([[value]], {"k": value}, {"headers": {"h": value}}))


def test_a_date_elsewhere_is_read_as_before(folder: Path) -> None:
    entry = loaded(
        "    {task: t, at: 2027-01-01T09:00:00+08:00, end: !!timestamp 2027-01-02, "
        "description: 2027-01-01, options: {expires: 2027-01-03}}\n",
        folder,
    )
    assert entry.schedule.plain() == {"at": "2027-01-01T09:00:00+08:00"}
    assert entry.end == datetime(2027, 1, 2, tzinfo=UTC)
    assert entry.description == "2027-01-01"
    assert entry.options == {"expires": "2027-01-03T00:00:00+00:00"}
    assert codec.decode("b", codec.encode(entry), entry.source, entry.declared_at) == entry


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2027-13-01", "'2027-13-01' is not a date or a time: month must be in 1..12; put it in"),
        ("2027-01-01T25:00:00", "hour must be in 0..23"),
        ("2027-01-01T09:00:00+99:00", "put it in quotes"),
        ("!!timestamp noon", "the tag !!timestamp: 'noon' is not one; write it like 2027-01-01T"),
        ("!!binary 'a'", "is not one; write it like AAEC/w=="),
        ("!decimal one", "the tag '!decimal': 'one' is not one; write it like '1.50'"),
        ("!decimal [1]", "the tag '!decimal' takes one value"),
        ("!money 5", "!!timestamp, !!binary, !decimal, !time and !uuid are"),
        ("{__type__: date, __value__: 5}", "5 is no value of __type__ date; write it like 2027-01"),
        ("{__type__: decimal, __value__: 1.5}", "1.5 is no value of __type__ decimal"),
        ("{__type__: uuid, __value__: {hex: 1}}", "is no value of __type__ uuid"),
    ],
)
def test_what_is_no_value_of_its_type_is_refused(text: str, said: str, folder: Path) -> None:
    (folder / "r.yaml").write_text(f"entries:\n  a: {{task: t, every: 1h, args: [{text}]}}\n")
    (problem,) = load_entries(["r.yaml"], folder=str(folder)).problems
    assert said in str(problem) and not problem.warning and problem.place.endswith(":2")


def test_a_mapping_of_a_type_that_kombu_does_not_know_survives_with_a_warning() -> None:
    literal = {"__type__": "dat", "__value__": {"hex": "2027"}}
    checked = check("a", {"task": "t", "every": "1h", "args": [[literal]]})
    assert checked.entry is not None
    (problem,) = checked.problems
    assert problem.warning and problem.path == ("args",)
    assert "the type 'dat'" in str(problem) and "did you mean date?" in str(problem)
    back = codec.decode("a", codec.encode(checked.entry), "cli", "")
    assert back.args == ([literal],)


# as an app gives them


class Colour(str, Enum):  # noqa: UP042  # its str() is not its value
    RED = "red"


class Size(IntEnum):
    BIG = 3


class Price(Decimal):
    pass


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (Colour.RED, "red"),
        ({Colour.RED: 1}, {"red": 1}),
        (Size.BIG, 3),
        (Price("1.50"), Decimal("1.50")),
        ((1, (2,)), [1, [2]]),
        (datetime(2027, 1, 1, 9, tzinfo=ZoneInfo("Asia/Shanghai")),
         datetime(2027, 1, 1, 9, tzinfo=EIGHT)),
        ({"__type__": "date", "__value__": "2027-01-01"}, date(2027, 1, 1)),
    ],
)  # fmt: skip
def test_a_value_is_kept_as_a_worker_gets_it(given: Any, kept: Any) -> None:
    entry = made(given)
    assert shown(entry) == repr(([kept], {}, {}))
    assert shown(codec.decode("a", codec.encode(entry), "cli", "")) == shown(entry)


@pytest.mark.parametrize("value", [{1, 2}, timedelta(1), object, 1j, bytearray(b"x"), {1: 2}])
def test_what_json_has_no_form_for_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"args: .*(JSON cannot carry|is not text)"):
        made(value)


# equal, and not the same


def test_values_of_two_types_are_two_definitions() -> None:
    for one, other in combinations(ALIKE, 2):
        first, second = made([one]), made([other])
        assert not same(first, second), (one, other)
        assert digest_of([first]) != digest_of([second]), (one, other)
        assert repr(difference(plain_of(first), plain_of(second))) == repr({"args": [[other]]})


@pytest.mark.parametrize("value", ALIKE)
def test_a_value_is_the_same_as_itself(value: Any) -> None:
    first, second = (codec.decode("a", codec.encode(made([value])), "cli", "") for _ in range(2))
    assert same(first, second) and digest_of([first]) == digest_of([second])
    assert difference(plain_of(first), plain_of(second)) == {}


def test_an_edit_to_null_is_an_edit() -> None:
    before, after = {"kwargs": {"a": 1, "b": 2}}, {"kwargs": {"a": None, "b": 2}}
    assert difference(before, after) == after


# too deep


def nested(depth: int, inner: Any = 1) -> Any:
    for _ in range(depth):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    "fields",
    [
        lambda deep: {"args": deep},
        lambda deep: {"kwargs": {"k": deep}},
        lambda deep: {"kwargs": deep},
        lambda deep: {"options": {"headers": {"h": deep}}},
        lambda deep: {"options": {"queue": deep}},
        lambda deep: {"options": {"unknown": deep}},
        lambda deep: {"options": {"link": {"task": "t", "args": deep}}},
        lambda deep: {"task": deep},
        lambda deep: {"tz": deep},
    ],
)
def test_what_is_nested_too_deeply_is_refused_in_one_line(
    fields: Callable[[Any], dict[str, Any]],
) -> None:
    checked = check("a", {"task": "t", "every": "1h", **fields(nested(5000))})
    assert checked.entry is None
    assert all(len(str(problem)) < 300 for problem in checked.problems)


def test_a_very_long_key_is_refused_in_a_short_line() -> None:
    steps = {"header": ["a"], "body": "b", "x" * 5000: 1}
    for fields in ({"x" * 5000: 1}, {"task": None, "chord": steps}, {"options": {"x" * 5000: []}}):
        checked = check("a", {"task": "t", "every": "1h", **fields})
        assert checked.problems
        assert all(len(str(problem)) < 500 for problem in checked.problems)


def test_a_stored_definition_that_is_nested_too_deeply_is_refused_in_one_line() -> None:
    text = b'{"task":"t","every":"1h","args":' + b"[" * 5000 + b"]" * 5000 + b"}"
    with pytest.raises(ConfigError, match="nested deeper than 50 levels"):
        codec.decode("a", text, "cli", "")


def test_what_is_nested_as_deeply_as_may_be_is_read_back_from_yaml(folder: Path) -> None:
    uuid = UUID(UUID_TEXT)
    deep = nested(50, uuid)
    entry = made(deep, options={"headers": {"h": nested(49, uuid)}})
    (folder / "deep.yaml").write_text("".join(file_of([entry])))
    read = load_entries(["deep.yaml"], folder=str(folder), source="cli")
    assert not read.problems
    assert same(replace(read.entries[0], declared_at=""), entry)
    with pytest.raises(ConfigError, match="nested deeper than 50 levels"):
        made(nested(51))
