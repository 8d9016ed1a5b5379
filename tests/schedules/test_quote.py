"""A value in an error message: one printable line, and not too long."""

from typing import Any

import pytest

from beatd.schedules.quote import quoted


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


QUOTED = [
    ("noon", "'noon'"),
    ("x" * 60, f"'{'x' * 60}'"),
    ("x" * 61, f"'{'x' * 58}…"),
    ("x" * 10_000, f"'{'x' * 58}…"),
    (b"x" * 59, f"b'{'x' * 59}'"),
    (b"x" * 60, f"b'{'x' * 57}…"),
    ("a\nb", r"'a\nb'"),
    ("é\n", r"'\xe9\n'"),
    ("é", "'é'"),
    (None, "None"),
    (1.5, "1.5"),
    ((1 << 200) - 1, str((1 << 200) - 1)),
    (1 << 200, "a very large number"),
    (-(1 << 200), "a very large number"),
    (["x" * 80], f"['{'x' * 57}…"),
    (nested(100_000), "a list that is nested too deeply to be shown"),
]


@pytest.mark.parametrize(("value", "text"), QUOTED, ids=range(len(QUOTED)))
def test_a_value_is_quoted_in_one_short_line(value: Any, text: str) -> None:
    assert quoted(value) == text
    assert text.isprintable()
