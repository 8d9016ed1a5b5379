"""All targets, by name."""

from tests.fuzz.target import Target
from tests.fuzz.targets import (
    beat_file,
    configuration,
    messages,
    requests,
    sql_store,
    stored,
    texts,
)

TARGETS: dict[str, Target] = {
    target.name: target
    for room in (texts, configuration, stored, messages, beat_file, requests, sql_store)
    for target in room.TARGETS
}
