"""Arguments of every type that beatd carries, nested in any way."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

#: One of each, and neighbours that are equal or look alike.
ALIKE: tuple[Any, ...] = (
    *(0, 0.0, -0.0, False, Decimal(0), Decimal("0.0"), Decimal("-0")),
    *(1, 1.0, True, Decimal("1.0"), Decimal("1.00"), "1.0"),
    *("2027-01-01", date(2027, 1, 1), datetime(2027, 1, 1), datetime(2027, 1, 1, tzinfo=UTC)),  # noqa: DTZ001
    datetime(2027, 1, 1, 8, tzinfo=timezone(timedelta(hours=8))),
    *("09:00:00", time(9), time(9, tzinfo=UTC), time(9, 0, 0, 1)),
    *("abc", b"abc", b"\xff\x00", b"", ""),
    *("0f0e6bb33e314ee59b1b5e3a5a0b6e0c", UUID("0f0e6bb33e314ee59b1b5e3a5a0b6e0c")),
    *(None, [], {}, [None], Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), Decimal("1E+9")),
)
STRANGE = (
    {"__type__": "money", "__value__": 5},
    {"__type__": "date"},
    {"__type__": "date", "__value__": "2027-01-01", "more": 1},
    {"__type__": 5, "__value__": None},
)

_ZONES = st.none() | st.builds(
    lambda seconds: timezone(timedelta(seconds=seconds)), st.integers(-86399, 86399)
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.one_of(
    st.sampled_from(ALIKE),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
    st.dates(),
    # `fold` is in no ISO 8601 text: celery beat does not send it either.
    st.times(timezones=_ZONES).map(lambda value: value.replace(fold=0)),
    st.datetimes(timezones=_ZONES).map(lambda value: value.replace(fold=0)),
    st.decimals(),
    st.uuids(),
    st.binary(max_size=8),
)
VALUES = st.recursive(
    SCALARS | st.sampled_from(STRANGE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ARGS = st.lists(VALUES, max_size=3)
KWARGS = st.dictionaries(TEXTS, VALUES, max_size=3)


def shown(entry: Any) -> str:
    """What tells values of different types apart: their repr, with arguments as lists."""
    return repr((list(entry.args), dict(entry.kwargs), dict(entry.options)))
