from collections.abc import Iterator

import pytest

from tests.sources.django.conftest import database, places
from tests.sources.django.live import Live

__all__ = ["database", "places"]


@pytest.fixture
def live(database: str) -> Iterator[Live]:
    made = Live(database)
    yield made
    made.close()
