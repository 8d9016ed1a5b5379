"""Write the moments in a table: whole, or short on a narrow terminal."""

from collections.abc import Callable, Iterable
from datetime import datetime

from beatd.cli.paged_table import terminal_width
from beatd.schedules.moment import fraction_digits
from beatd.views.time_text import moment_text, short_moment_text

NARROW_COLUMNS = 100


def table_times(
    tz: str, now: datetime, first: Iterable[datetime] = ()
) -> tuple[Callable[[datetime], str], str]:
    """Return a function that writes a moment in the zone `tz`, and the title that such a table has.

    `first` are the times of the first rows: if one has a fraction, every time has as many digits.
    On a terminal of less than NARROW_COLUMNS columns, moments are short and the title has the zone.
    Elsewhere the title is "".
    """
    width = terminal_width()
    if width is None or width >= NARROW_COLUMNS:
        digits = fraction_digits(first)
        return lambda moment: moment_text(moment, tz, digits), ""
    return lambda moment: short_moment_text(moment, tz, now), f"Times are in {tz}."
