"""Choose the columns of a table and their widths, so that its lines fit a terminal."""

from collections.abc import Iterable, Mapping

SEPARATOR = "   "
WIDTH_MIN = 4  # of a column on a terminal that is too narrow for all


def fitted(
    natural: Mapping[str, int], width: int, least: Mapping[str, int], left_out: Iterable[str]
) -> dict[str, int]:
    """Return the width of each column that is shown, in the order of `natural`.

    `natural` has the widths of the whole texts. The columns in `least` may be cut. They keep the
    width that is given there, unless nothing else makes the lines fit; what is left of the terminal
    is shared among them. The columns in `left_out` are left out in their order before that.
    """
    widths = {name: min(full, least.get(name, full)) for name, full in natural.items()}
    for name in left_out:
        if _spare(widths, width) < 0:
            widths.pop(name, None)
    may_grow = [name for name in least if name in widths]
    spare = _spare(widths, width)
    while spare > 0 and (may_grow := [n for n in may_grow if widths[n] < natural[n]]):
        for name in may_grow[:spare]:
            widths[name] += 1
        spare = _spare(widths, width)
    may_shrink = [name for name in least if name in widths]
    while _spare(widths, width) < 0 and may_shrink:
        widest = max(may_shrink, key=widths.__getitem__)
        if widths[widest] <= WIDTH_MIN:
            break
        widths[widest] -= 1
    return widths


def _spare(widths: Mapping[str, int], width: int) -> int:
    return width - sum(widths.values()) - len(SEPARATOR) * (len(widths) - 1)


def text_width(text: str) -> int:
    """Return the width of the text in terminal columns; some characters fill two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut_at_end(text: str, width: int) -> str:
    """Return the beginning of the text and "…", at most `width` columns wide."""
    return f"{_beginning(text, width - 1).rstrip()}…"


def cut_at_start(text: str, width: int) -> str:
    """Return "…" and the end of the text, at most `width` columns wide."""
    return f"…{_beginning(text[::-1], width - 1)[::-1].lstrip()}"


def cut_in_middle(text: str, width: int) -> str:
    """Return the beginning of the text, "…" and its end, at most `width` columns wide."""
    end = (width - 1) // 2
    return f"{_beginning(text, width - 1 - end)}…{_beginning(text[::-1], end)[::-1]}"


def _beginning(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    used = 0
    for at, character in enumerate(text):
        used += text_width(character)
        if used > width:
            return text[:at]
    return text
