"""How a bug is planted: a function that patches the product, named like what it breaks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

Patch = pytest.MonkeyPatch
PLANTED: dict[str, Callable[[Patch], None]] = {}


def plant(sow: Callable[[Patch], None]) -> Callable[[Patch], None]:
    PLANTED[sow.__name__.replace("_", " ")] = sow
    return sow


@contextmanager
def planted(name: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        PLANTED[name](patch)
        yield
