"""All targets, by name."""

from tests.fuzz.target import Target
from tests.fuzz.targets import (
    beat_file,
    configuration,
    damaged_pages,
    messages,
    redis_store,
    requests,
    shelf,
    sql_store,
    stored,
    texts,
)

_ROOMS = (
    texts,
    configuration,
    stored,
    messages,
    beat_file,
    requests,
    shelf,
    sql_store,
    redis_store,
    damaged_pages,
)
TARGETS: dict[str, Target] = {target.name: target for room in _ROOMS for target in room.TARGETS}
