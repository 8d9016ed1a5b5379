"""All targets, by name."""

from tests.fuzz.target import Target
from tests.fuzz.targets import configuration, texts

TARGETS: dict[str, Target] = {
    target.name: target for room in (texts, configuration) for target in room.TARGETS
}
