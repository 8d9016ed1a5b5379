"""How a template shows arguments."""

from typing import Any

from celery.utils.saferepr import saferepr
from hypothesis import given
from hypothesis import strategies as st

from beatd.publishers.template import shown
from tests.typed import SCALARS

plain = st.one_of(
    SCALARS, st.integers(), st.booleans(), st.none(), st.floats(), st.text(max_size=50)
)
values = st.one_of(plain, st.lists(plain, max_size=3))


@given(st.lists(values, max_size=25), st.dictionaries(st.text(max_size=9), values, max_size=5))
def test_arguments_are_shown_as_celery_shows_them(args: list[Any], kwargs: dict[str, Any]) -> None:
    assert shown(args or (), 1024, 5) == saferepr(args or (), 1024, maxlevels=5)
    assert shown(kwargs, 1024, 5) == saferepr(kwargs, 1024, maxlevels=5)


def test_an_empty_string_is_shown_as_celery_shows_it() -> None:
    for args in ([""], ["a b"], [0, -1, True], ["x" * 40] * 19, [10**50]):
        assert shown(args, 1024, 5) == saferepr(args, 1024, maxlevels=5)
        assert shown(args, 60, 5) == saferepr(args, 60, maxlevels=5)
