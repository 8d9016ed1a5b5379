"""Draw the last runs of an entry as an SVG bar chart of runtimes, coloured by outcome."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from markupsafe import Markup, escape

from beatd.history import Record
from beatd.outcome import Delivery
from beatd.overlap import reason_text
from beatd.run_outcome import run_outcome
from beatd.web.pages.moments import Moments
from beatd.why.time_words import runtime

Look = Literal["ok", "bad", "run", "off", "sent"]
Deliveries = Mapping[str, Sequence[Delivery]]

STEP, WIDTH, HEIGHT, LOWEST = 6, 5, 24, 4
DETAIL_CHARS_MAX = 120
_LOOKS: dict[str, Look] = {
    "received": "run",
    "started": "run",
    "succeeded": "ok",
    "retried": "run",
    "failed": "bad",
    "expired": "bad",
    "lost": "bad",
    "revoked": "off",
}


def run_word(record: Record, ended: Delivery | None) -> tuple[str, Look]:
    """Return the outcome of a run in one word, and the style of its bar, such as ("succeeded",
    "ok")."""
    if record.state == "skipped":
        return "skipped", "off"
    if record.state == "failed":
        return "not published", "bad"
    if record.state == "claimed":
        return "claimed", "run"
    if ended is not None:
        return ended.state, _LOOKS[ended.state]
    return "published", "sent"


def run_strip(
    records: Sequence[Record],
    known: Deliveries,
    shown: Moments,
    slots: int,
    *,
    titles: bool = True,
) -> Markup:
    """Return an SVG bar chart of the last runs: the colour is the outcome, the height the runtime.

    `records` must have the newest first, which is drawn at the right. Each bar has a text as its
    title; without `titles`, runs that succeeded have none and are one shape, for a page with many
    charts.
    """
    ends = [run_outcome(known.get(record.task_id, ())) for record in records]
    times = [one.runtime if one else None for one in ends]
    words = [run_word(*one) for one in zip(records, ends, strict=True)]
    most = max((time for time in times if time is not None), default=0.0) or 1.0
    width = slots * STEP
    parts = [
        f'<svg class="strip" width="{width}" height="{HEIGHT}" '
        f'viewBox="0 0 {width} {HEIGHT}" role="img" '
        f'aria-label="{_summary([word for word, _ in words])}">'
    ]
    well: list[str] = []
    left = width
    for record, ended, time, (word, look) in zip(records, ends, times, words, strict=True):
        left -= STEP
        path = _bar(look, left, time, most)
        if look == "ok" and not titles:
            well.append(path)
            continue
        title = _title(record, word, time, ended, shown)
        parts.append(f'<path class="{look}" d="{path}"><title>{title}</title></path>')
    if well:
        parts.append(f'<path class="ok" d="{"".join(well)}"/>')
    parts.append("</svg>")
    return Markup("".join(parts))  # every text in it is a number, a word of ours, or escaped


def _bar(look: Look, left: int, time: float | None, most: float) -> str:
    if look == "off":
        return _box(left, HEIGHT - 3, WIDTH, 2)
    high = LOWEST + round((HEIGHT - LOWEST - 6) * (time or 0.0) / most)
    top = HEIGHT - high
    if look == "bad":
        triangle = f"M{left} {top - 1}L{left + WIDTH / 2} {top - 7}L{left + WIDTH} {top - 1}Z"
        return triangle + _box(left, top, WIDTH, high)
    if look in ("sent", "run"):  # only a frame: no end is known
        inner = max(high, 5) - 1
        return _box(left + 0.5, HEIGHT - inner - 0.5, WIDTH - 1, inner)
    return _box(left, top, WIDTH, high)


def _box(left: float, top: float, width: int, height: int) -> str:
    return f"M{left} {top}h{width}v{height}h-{width}z"


def _title(
    record: Record,
    word: str,
    time: float | None,
    ended: Delivery | None,
    shown: Moments,
) -> str:
    text = f"{shown.text(record.planned)}, {word}"
    if time is not None:
        text += f" in {runtime(time)}"
    if record.count > 1:
        text += f", {'at least ' if record.at_least else ''}{record.count} runs"
    detail = reason_text(record.reason, shown.text) or (ended.error if ended else "")
    return f"{text}: {escape(detail[:DETAIL_CHARS_MAX])}" if detail else text


def _summary(words: Sequence[str]) -> str:
    # For screen readers: "last 30 runs: 29 succeeded, 1 failed".
    if not words:
        return "no run yet"
    found = ", ".join(f"{count} {word}" for word, count in Counter(words).items())
    return f"last {len(words)} runs: {found}"
