"""One contract, every store."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beatd.store import Store
from tests.stores.places import PLACES, opened


@pytest.fixture(params=PLACES, ids=lambda place: place.__name__)
def place(request: pytest.FixtureRequest, tmp_path: Path, server: Any) -> Iterator[Any]:
    with opened(request.param, tmp_path, server) as open_one:
        yield open_one


@pytest.fixture
def store(place: Callable[[], Store]) -> Store:
    return place()


@pytest.fixture
def reopen(place: Callable[[], Store], store: Store) -> Callable[[], Store]:
    """Another handle to the place of `store`, as another process would have."""
    return place
