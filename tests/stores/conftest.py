"""One contract, every store."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from beatd.store import Store
from tests.stores.places import DATABASES, PLACES, Open, closing_all, opened, remove_all_rows

Place = Callable[..., Any]


@pytest.fixture(scope="session")
def emptied(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Open]]:
    """Return a place on a database server without a row; it is made for the first test, and the
    others find its tables there."""
    made: dict[Place, tuple[Open, Any]] = {}
    with ExitStack() as places:

        def empty(place: Place) -> Open:
            if place not in made:
                path = tmp_path_factory.mktemp(place.__name__)
                open_one = places.enter_context(place(path, server))
                made[place] = open_one, places.enter_context(closing_all(open_one))()
            open_one, first = made[place]
            remove_all_rows(first)
            return open_one

        yield empty


@pytest.fixture
def place_of(
    tmp_path: Path, server: Any, emptied: Callable[..., Open]
) -> Callable[[Place], AbstractContextManager[Open]]:
    """Open a place of this kind, in which there is nothing yet."""

    def place_of(kind: Place) -> AbstractContextManager[Open]:
        if kind in DATABASES:
            return closing_all(emptied(kind))
        return opened(kind, tmp_path, server)

    return place_of


@pytest.fixture(params=PLACES, ids=lambda place: place.__name__)
def place(request: pytest.FixtureRequest, place_of: Any) -> Iterator[Any]:
    with place_of(request.param) as open_one:
        yield open_one


@pytest.fixture
def store(place: Callable[[], Store]) -> Store:
    return place()


@pytest.fixture
def reopen(place: Callable[[], Store], store: Store) -> Callable[[], Store]:
    """Another handle to the place of `store`, as another process would have."""
    return place
