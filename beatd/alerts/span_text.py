"""Write a length of time as short text for people."""

from datetime import timedelta

from beatd.schedules.duration import format_duration


def span_text(length: timedelta) -> str:
    """Return a length of time as text like "2h10m", rounded down more the longer it is."""
    length = max(length, timedelta(0))
    if length >= timedelta(days=1):
        length -= length % timedelta(minutes=1)
    elif length >= timedelta(seconds=10):
        length -= length % timedelta(seconds=1)
    else:
        length -= length % timedelta(milliseconds=100)
    return format_duration(length)
