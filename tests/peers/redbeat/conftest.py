from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery import Celery

from beatd.imports import Imported, ImportedEntry, to_entries
from beatd.imports.readers import SourceOptions, read

pytest.importorskip("redbeat")

ZONE = "Europe/Berlin"


class RedBeat:
    """An app that keeps its schedule in RedBeat, and the source that beatd imports it from."""

    def __init__(self, source: str, prefix: str, **settings: Any) -> None:
        self.source, self.prefix = source, prefix
        self.app = Celery("proj", broker="memory://", set_as_current=False)
        self.app.conf.update(
            timezone=ZONE, result_expires=None, redbeat_key_prefix=prefix, **settings
        )

    def imported(self) -> Imported:
        opened = read(f"redbeat+{self.source}", SourceOptions(timezone=ZONE, prefix=self.prefix))
        made = to_entries(opened.read.found, timezone=opened.timezone, source=opened.kind)
        return Imported(made.entries, (*opened.read.refused, *made.refused))

    def one(self) -> ImportedEntry:
        made = self.imported()
        assert not made.refused
        (one,) = made.entries
        return one


@pytest.fixture
def place(server: Callable[[str], tuple[str, int]]) -> Iterator[RedBeat]:
    host, port = server("redis")
    url, prefix = f"redis://{host}:{port}/11", f"t{uuid4().hex[:8]}:"
    yield RedBeat(url, prefix, redbeat_redis_url=url)
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(f"{prefix}*"):
            client.delete(key)


@pytest.fixture
def client(place: RedBeat) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(place.source) as made:
        yield made
