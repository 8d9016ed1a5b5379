"""Limit the messages about an incident that opens again and again to one a day."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

FLAPS_SAID = 5  # this opening within a day is announced as flapping; later ones are mute
WITHIN = timedelta(days=1)


class Opening(Struct, frozen=True):
    """A time at which an incident opened, with the number that `flaps_of` returned for it."""

    opened: datetime
    flaps: int


def flaps_of(earlier: Sequence[Opening], now: datetime) -> int:
    """Return how often an incident that opens at `now` has opened within the last day.

    The count includes this opening. At FLAPS_SAID people are told that the incident keeps opening.
    Every further opening gets FLAPS_SAID + 1, and no message is sent about it.
    """
    recent = [one for one in earlier if now - one.opened < WITHIN]
    if len(recent) + 1 < FLAPS_SAID:
        return len(recent) + 1
    was_said = any(one.flaps == FLAPS_SAID for one in recent)
    return FLAPS_SAID + 1 if was_said else FLAPS_SAID


def is_mute(flaps: int) -> bool:
    """Return True if an incident opened too often within a day to send a message about it.

    `flaps` is the result of `flaps_of` for the incident.
    """
    return flaps > FLAPS_SAID
