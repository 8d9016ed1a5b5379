"""Facts about a store and its server, read without changing anything."""

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct

from beatd.clock import Clock


class StoreFacts(Struct, frozen=True, kw_only=True):
    """What a store's server says about itself, and what this user may do there.

    `kind` is "redis", "postgresql", "mysql" or "sqlite", and `version` the server's version as it
    shows it. `exists` is False if there is no store yet. `schema` is the version of the tables, or
    None where there is none. `refusal` is why this user could not create or write the store, or "".
    `settings` are the server's own settings as text; a setting that it does not show is missing.
    `host_ahead_s` is how far the host's clock is ahead of the server's, None if it has no clock.
    """

    kind: str
    place: str
    version: str
    exists: bool
    schema: int | None = None
    newest_schema: int | None = None
    refusal: str = ""
    settings: Mapping[str, str] = {}
    host_ahead_s: float | None = None


def host_ahead_s(clock: Clock, read: Callable[[], datetime]) -> float:
    """Return how many seconds the host's clock is ahead of the clock that `read` asks.

    The answer counts from the middle between question and reply.
    """
    asked = clock.host_now()
    answer = read()
    replied = clock.host_now()
    return (asked + (replied - asked) / 2 - answer).total_seconds()
