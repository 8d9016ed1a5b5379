"""Draw a bar chart of how late the last runs of an entry were sent, as an SVG image."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from beatd.history import Record
from beatd.web.pages.moments import Moments, late_text

STEP, WIDTH, HEIGHT = 10, 8, 48


def lateness_chart(records: Sequence[Record], shown: Moments) -> Markup | None:
    """Return an SVG bar chart of how late each run was sent, the newest at the right.

    The latest run has the highest bar. Return None if no run was published.
    """
    late = [one for one in records if one.lateness is not None]
    if not late:
        return None
    most = max(one.lateness or 0.0 for one in late)
    width = len(late) * STEP
    summary = f"lateness of the last {len(late)} runs, at most {late_text(most)}"
    parts = [
        f'<svg class="lateness" width="{width}" height="{HEIGHT}" role="img" '
        f'aria-label="{escape(summary)}">'
    ]
    for place, one in enumerate(reversed(late)):
        high = max(1, round(HEIGHT * (one.lateness or 0.0) / most)) if most else 1
        title = escape(f"{shown.text(one.planned)}, late {late_text(one.lateness or 0.0)}")
        parts.append(
            f'<g><title>{title}</title><rect x="{place * STEP}" y="{HEIGHT - high}" '
            f'width="{WIDTH}" height="{high}"/></g>'
        )
    parts.append("</svg>")
    return Markup("".join(parts))  # every text in it was escaped above
