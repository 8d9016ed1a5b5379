"""Flapping: an incident that opens again and again is announced once a day. Its other openings are
mute: no message is sent about them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

FLAPS_SAID = 5  # this opening within a day is announced as flapping; later ones are mute
WITHIN = timedelta(days=1)


class Opening(Struct, frozen=True):
    """One earlier opening of an incident, with the number `flaps` that it got from `flaps_of`."""

    opened: datetime
    flaps: int


def flaps_of(earlier: Sequence[Opening], now: datetime) -> int:
    """Return the number `flaps` for an incident that opens at `now`; `earlier` has its earlier
    openings.

    The number counts the openings within the last day, this one included, while it is below
    FLAPS_SAID. After that, the number is FLAPS_SAID for one opening a day, which is announced as
    flapping, and FLAPS_SAID + 1 for the others, which are mute.
    """
    recent = [one for one in earlier if now - one.opened < WITHIN]
    if len(recent) + 1 < FLAPS_SAID:
        return len(recent) + 1
    was_said = any(one.flaps == FLAPS_SAID for one in recent)
    return FLAPS_SAID + 1 if was_said else FLAPS_SAID


def is_mute(flaps: int) -> bool:
    """Return True if no message is sent about an incident with this number `flaps`."""
    return flaps > FLAPS_SAID
