from collections.abc import Iterator

import pytest

from tests.django.conftest import database, places
from tests.django.live import Live

__all__ = ["database", "places"]


@pytest.fixture
def live(database: str) -> Iterator[Live]:
    made = Live(database)
    yield made
    made.close()
