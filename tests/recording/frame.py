"""What a terminal showed, and for how long."""

from typing import NamedTuple

COLUMNS, LINES = 80, 24


class Cells(NamedTuple):
    """Neighbouring characters of one line that look alike, and the column of the first."""

    column: int
    text: str
    colour: str
    bold: bool


Line = tuple[Cells, ...]


class Frame(NamedTuple):
    """What the terminal shows for some seconds."""

    seconds: float
    lines: tuple[Line, ...]
