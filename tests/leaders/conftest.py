"""Every test here can ask for a fresh database, and for a fresh place of a lock."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beatd.leader import Lease
from beatd.wiring.backends import open_lease
from tests.databases import mariadb_url, postgresql_url, url
from tests.leaders.places import Place, place_of

__all__ = ["mariadb_url", "postgresql_url", "url"]


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The place of the kind that a test names by an indirect parameter."""
    with place_of(request.param, request, tmp_path) as found:
        yield found


@pytest.fixture
def leases(place: Place) -> Iterator[Callable[[], Lease]]:
    """Each lease is another daemon's."""
    made: list[Lease] = []

    def another() -> Lease:
        made.append(open_lease(place.url, prefix=place.prefix))
        return made[-1]

    yield another
    for lease in made:
        lease.close()
