"""Stores without content, as many as a comparison needs, all at a place of one kind."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from tests.stores.places import DATABASES, Server, opened, remove_all_rows

Place = Callable[..., Any]


@contextmanager
def fresh_stores(place: Place, folder: Path, server: Server) -> Iterator[Callable[[], Any]]:
    """Yield a function that returns an empty store. The one it returned before must be closed."""
    numbers = count()
    with ExitStack() as places:
        if place in DATABASES:  # making tables takes long
            open_one = places.enter_context(opened(place, folder, server))
            first = open_one()

            def empty() -> Any:
                remove_all_rows(first)
                return open_one()

            yield empty
        else:

            def another() -> Any:
                path = folder / str(next(numbers))
                path.mkdir()
                return places.enter_context(opened(place, path, server))()

            yield another
