"""Write a length of time as short text for people."""

from datetime import timedelta

from beatd.schedules.duration import format_duration


def span_text(length: timedelta) -> str:
    """Return the length as short text such as 2h10m. The text has whole seconds from ten seconds
    on, and no seconds from one day on."""
    length = max(length, timedelta(0))
    if length >= timedelta(days=1):
        length -= length % timedelta(minutes=1)
    elif length >= timedelta(seconds=10):
        length -= length % timedelta(seconds=1)
    else:
        length -= length % timedelta(milliseconds=100)
    return format_duration(length)
