"""Where a store was copied to, as commands show it."""

from datetime import datetime

from beatd.views.time_text import moment_text


def copied_to_text(place: str, at: datetime, tz: str) -> str:
    """Return where and when a store was copied: "to redis://… at 2026-03-01 12:00:00 UTC"."""
    return f"to {place} at {moment_text(at.replace(microsecond=0), tz)}"
