"""Branches that no life of the simulation reaches, each with its reason."""

from collections.abc import Iterable

OUTSIDE = "the world turns the loops in greenlets; threads are tested in tests/daemon"
STATUS = "of health and the pages, which no life asks"
UNEXPECTED = "an exception that is no BeatError ends a life at once"
DECLARED = "each daemon of a life has files that declare entries"
NO_LOSS = "the store of a life keeps what it acknowledged; tests/chaos and tests/engine lose data"
SMALL = "a life has at most 13 entries"
SAME_REDIS = "the Redis of a life stays store and broker"
NO_SUCH_ENTRY = "no entry or request of a life has it; tests/engine have"

#: The beginning of each branch's name, by its reason.
UNREACHED: dict[str, tuple[str, ...]] = {}


def unlisted(branches: Iterable[str]) -> list[str]:
    """Return those of these branches for which no reason is listed."""
    known = tuple(begin for begins in UNREACHED.values() for begin in begins)
    return [branch for branch in branches if not branch.startswith(known)]
