"""Describe the pause of an entry in words and as JSON, and parse the end of a pause."""

from datetime import datetime, timedelta
from typing import Any

from beatd.catalog import Stored
from beatd.errors import ConfigError
from beatd.schedules.moment import format_moment

NOTE_SHOWN_MAX = 40  # characters of a note in a table


def read_end(option: str, text: str, now: datetime, tz: str) -> datetime:
    """Parse the end of a pause: a time such as "2027-01-01 09:00", or a duration from `now`.

    A time without an offset is in the zone `tz`, and a time of day is the next one. The end of a
    duration is rounded up to a second. Raises ConfigError with the name of the option
    if the text is invalid, or if the end is past.
    """
    from beatd.schedules.duration import parse_duration
    from beatd.schedules.typed_moment import typed_moment

    try:
        length = parse_duration(text)
        end = _whole_second(now + length) if length else now
    except (ConfigError, OverflowError):
        try:
            end = typed_moment(text, tz, now, coming=True)
        except ConfigError:
            raise ConfigError(
                f"{option}: {text!r} is neither a moment nor a length; "
                "write it like 2027-01-01T09:00, 14:30 or 2h"
            ) from None
    if end <= now:
        raise ConfigError(
            f"{option}: {text!r} is past; give a later moment, or a length from now like 2h"
        )
    return end


def _whole_second(moment: datetime) -> datetime:
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + timedelta(seconds=1)


def pause_json(row: Stored) -> dict[str, Any] | None:
    """Return who paused the entry, when, until when and why, as a dict for JSON.

    Return None if the entry is not paused, or if the store does not know who paused it.
    """
    pause = row.pause if row.paused else None
    if pause is None:
        return None
    return {
        "at": format_moment(pause.at),
        "by": pause.by,
        "until": None if pause.until is None else format_moment(pause.until),
        "note": pause.note,
    }


def pause_state(row: Stored, now: datetime, tz: str) -> str:
    """Return the state of a paused entry in short, such as "paused until 14:00 CET, deploy".

    The end is in the zone `tz`, with its date if it is not on the day of `now`.
    """
    pause = row.pause
    if pause is None:
        return "paused"
    until = "" if pause.until is None else f" until {end_text(pause.until, now, tz)}"
    note = pause.note
    if len(note) > NOTE_SHOWN_MAX:
        note = f"{note[: NOTE_SHOWN_MAX - 1]}…"
    return f"paused{until}{', ' if note else ''}{note}"


def end_text(until: datetime, now: datetime, tz: str) -> str:
    """Return the end of a pause in the zone `tz`: "14:00 CET" on the day of `now`, else with its
    date.

    Seconds are left out if they are 0.
    """
    from beatd.schedules import zone
    from beatd.schedules.moment import in_zone

    local, today = (in_zone(moment, zone(tz)) for moment in (until, now))
    time = f"{local:%H:%M:%S}" if local.second or local.microsecond else f"{local:%H:%M}"
    date = "" if local.date() == today.date() else f"{local:%Y-%m-%d} "
    return f"{date}{time} {local:%Z}"


def pause_words(row: Stored, tz: str) -> str | None:
    """Return a sentence about an entry's pause: since when, by whom and until when; for `beatd
    show`.

    Return None if the entry is not paused, or if nobody knows who paused it.
    """
    from beatd.views.time_text import moment_text

    pause = row.pause if row.paused else None
    if pause is None:
        return None
    at = pause.at.replace(microsecond=0)
    words = f"since {moment_text(at, tz)}, by {pause.by}"
    if pause.until is not None:
        words += f", until {moment_text(pause.until, tz)}"
    return f"{words}: {pause.note}" if pause.note else words
