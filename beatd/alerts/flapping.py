"""Flapping: an incident that opens again and again is announced once a day, and is
mute otherwise."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

FLAPS_SAID = 5  # this opening within a day is announced as flapping; later ones are mute
WITHIN = timedelta(days=1)


class Opening(Struct, frozen=True):
    """One earlier opening of an incident, and the `flaps` that it was given."""

    opened: datetime
    flaps: int


def flaps_of(earlier: Sequence[Opening], now: datetime) -> int:
    """Return the number that an incident gets which opens now.

    It is the number of openings within a day, this one included. From FLAPS_SAID on it is
    FLAPS_SAID once a day, and FLAPS_SAID + 1 otherwise.
    """
    recent = [one for one in earlier if now - one.opened < WITHIN]
    if len(recent) + 1 < FLAPS_SAID:
        return len(recent) + 1
    was_said = any(one.flaps == FLAPS_SAID for one in recent)
    return FLAPS_SAID + 1 if was_said else FLAPS_SAID


def is_mute(flaps: int) -> bool:
    """Return True if neither the opening nor the end of such an incident is announced."""
    return flaps > FLAPS_SAID
