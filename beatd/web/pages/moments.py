"""Format times and durations for the HTML pages."""

from datetime import datetime, timedelta

from markupsafe import Markup

from beatd.schedules import zone
from beatd.schedules.duration import length_text
from beatd.schedules.moment import format_moment, in_zone
from beatd.why.time_words import runtime

_TIME = Markup('<time datetime="{}">{}</time>')
_RELATIVE = Markup('<span class="rel" data-at="{:.0f}">{}</span>')


class Moments:
    """Formats times for a page: in the time zone `tz`, or relative to the current time `now`."""

    def __init__(self, tz: str, now: datetime) -> None:
        self._zone, self.now = zone(tz), now

    def text(self, moment: datetime) -> str:
        """Format a time in the page's time zone, such as "2026-11-28 02:30:00 CET"."""
        local = in_zone(moment, self._zone)
        return f"{local.isoformat(' ', 'seconds')[:19]} {local.tzname()}"  # strftime is slower

    def at(self, moment: datetime) -> Markup:
        """Return a time as an HTML element that shows it in the page's time zone."""
        return _TIME.format(format_moment(moment), self.text(moment))

    def short(self, moment: datetime) -> str:
        """Format the time of day in the page's time zone, such as "02:30"."""
        return f"{in_zone(moment, self._zone):%H:%M}"

    def relative(self, moment: datetime) -> Markup:
        """Return the time from now until `moment` as HTML, such as "in 5 min", which a script
        updates.

        It does not count for the page's ETag.
        """
        return _RELATIVE.format(moment.timestamp(), distance(moment - self.now))

    def both(self, moment: datetime) -> Markup:
        """Return a time and its distance from now as two lines of HTML for a table cell."""
        return Markup('<span class="when">{}{}</span>').format(
            self.relative(moment), self.at(moment)
        )


def distance(length: timedelta) -> str:
    """Format a duration relative to now, such as "in 5 min" or "3 s ago", in whole seconds."""
    text = length_text(length.total_seconds())
    if not text:
        return "now"
    return f"in {text}" if length > timedelta(0) else f"{text} ago"


def late_text(seconds: float) -> str:
    """Format how late a run was sent, given in seconds, such as "3 ms" or "2 min"."""
    return "on time" if seconds < 0.0005 else runtime(seconds)


def span(length: timedelta) -> str:
    """Format a duration, such as "3 h 12 min"."""
    return length_text(length.total_seconds()) or "less than 1 s"
