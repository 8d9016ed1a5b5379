"""Draw a bar chart of the number of planned runs over time, as an SVG image."""

from datetime import datetime, timedelta

from markupsafe import Markup, escape

from beatd.views.planned_ahead import PlannedAhead
from beatd.web.pages.moments import Moments

STEP, WIDTH, HEIGHT = 10, 8, 64


def density(ahead: PlannedAhead, shown: Moments) -> Markup:
    """Return an SVG bar chart of planned runs; it is stretched to the width of the page."""
    most = max(ahead.counts, default=0)
    width, size = len(ahead.counts) * STEP, timedelta(seconds=ahead.bucket_s)
    summary = f"{sum(ahead.counts)} runs, at most {most} at once"
    parts = [
        f'<svg class="density" viewBox="0 0 {width} {HEIGHT + 1}" role="img" '
        f'aria-label="{escape(summary)}" preserveAspectRatio="none">'
    ]
    for place, count in enumerate(ahead.counts):
        if count:
            high = max(2, round(HEIGHT * count / most))
            title = escape(f"{count:,} from {shown.text(ahead.start + place * size)}")
            parts.append(
                f'<g><title>{title}</title><rect x="{place * STEP}" y="{HEIGHT - high}" '
                f'width="{WIDTH}" height="{high}"/></g>'
            )
    parts.append(f'<path d="M0 {HEIGHT + 0.5}H{width}"/></svg>')
    return Markup("".join(parts))  # every text in it was escaped above


def axis(ahead: PlannedAhead, count: int) -> list[datetime]:
    """Return the times for `count` equally spaced labels below the bar chart of planned runs."""
    whole = timedelta(seconds=ahead.bucket_s * len(ahead.counts))
    return [ahead.start + whole * part / count for part in range(count)]
