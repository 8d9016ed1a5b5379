"""Draw a recording of a terminal as an animated SVG: styles only, no script, no font of its own."""

from collections.abc import Sequence
from html import escape

from tests.recording.frame import COLUMNS, LINES, Cells, Frame, Line

CHARACTER, ROW, MARGIN, BAR = 8.4, 19, 16, 34  # pixels
COLOURS = {
    "default": "#d5dbe3", "dim": "#8b949e", "red": "#ff7b72", "green": "#7ee787",
    "brown": "#e3b341", "yellow": "#e3b341", "blue": "#79c0ff",
    "magenta": "#d2a8ff", "cyan": "#76e3ea", "white": "#ffffff", "black": "#6e7681",
}  # fmt: skip
BACKGROUND, BAR_COLOUR = "#0d1117", "#21262d"
FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
LAST_FRAME_S = 4.0  # longer than it was shown


def svg(frames: Sequence[Frame], title: str) -> str:
    """Return the frames as one SVG that shows them again and again.

    Where the reader wants no motion, it shows the last frame.
    """
    total = sum(frame.seconds for frame in frames) + LAST_FRAME_S
    known: dict[Line, int] = {}
    styles, drawn, at = [], [], 0.0
    for number, frame in enumerate(frames):
        is_last = number == len(frames) - 1
        until = total if is_last else at + frame.seconds
        styles.append(_shown(number, at / total, until / total))
        uses = [
            f'<use href="#l{known.setdefault(line, len(known))}" y="{row * ROW}"/>'
            for row, line in enumerate(frame.lines)
            if line
        ]
        mark = " last" if is_last else ""
        drawn.append(f'<g class="f{mark}" style="animation-name:f{number}">{"".join(uses)}</g>')
        at = until
    width, height = COLUMNS * CHARACTER + 2 * MARGIN, LINES * ROW + 2 * MARGIN + BAR
    dots = "".join(
        f'<circle cx="{MARGIN + 4 + 18 * n}" cy="{BAR / 2:g}" r="5.5" fill="{colour}"/>'
        for n, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" \
width="{width:g}" height="{height:g}" role="img" aria-label="{escape(title)}">
<title>{escape(title)}</title>
<style>
text{{font:14px {FONT};white-space:pre;fill:{COLOURS["default"]}}}
.b{{font-weight:bold}}
{"".join(f".{name}{{fill:{colour}}}" for name, colour in COLOURS.items())}
.f{{visibility:hidden;animation:{total:g}s step-end infinite}}
{"".join(styles)}
@media (prefers-reduced-motion:reduce){{.f{{animation:none}}.last{{visibility:visible}}}}
</style>
<rect width="100%" height="100%" rx="9" fill="{BACKGROUND}"/>
<path d="M0 {BAR}V9a9 9 0 0 1 9-9H{width - 9:g}a9 9 0 0 1 9 9V{BAR}z" fill="{BAR_COLOUR}"/>
{dots}
<defs>
{chr(10).join(_line(line, number) for line, number in known.items())}
</defs>
<g transform="translate({MARGIN} {BAR + MARGIN})">
{chr(10).join(drawn)}
</g>
</svg>
"""


def _shown(number: int, start: float, end: float) -> str:
    """Return the rule by which the frame is visible in this part of the time."""
    before = "" if start == 0 else "0%{visibility:hidden}"
    after = "" if end >= 1 else f"{end * 100:.3f}%{{visibility:hidden}}"
    return f"@keyframes f{number}{{{before}{start * 100:.3f}%{{visibility:visible}}{after}}}"


def _line(line: Line, number: int) -> str:
    return f'<g id="l{number}">{"".join(map(_text, line))}</g>'


def _text(cells: Cells) -> str:
    names = [name for name in (cells.colour if cells.colour != "default" else "",) if name]
    names += ["b"] if cells.bold else []
    style = f' class="{" ".join(names)}"' if names else ""
    left = len(cells.text) - len(cells.text.lstrip())
    text = cells.text.lstrip()
    return (
        f'<text x="{(cells.column + left) * CHARACTER:g}" y="{ROW - 5}"{style} '
        f'textLength="{len(text) * CHARACTER:g}" lengthAdjust="spacingAndGlyphs">'
        f"{escape(text, quote=False)}</text>"
    )
