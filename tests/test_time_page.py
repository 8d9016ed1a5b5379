"""docs/time.md is true: its table is read and every line of it asked."""

from pathlib import Path

import pytest

from beatd.schedules import crontab
from tests.schedules.wall_clock import wall

PAGE = Path(__file__).parents[1] / "docs" / "time.md"


def table():
    """The rows under the heading that begins with the zone."""
    lines = PAGE.read_text().splitlines()
    begin = lines.index("| zone | cron | asked from | runs | why |") + 2
    for line in lines[begin:]:
        if not line.startswith("|"):
            return
        tz, text, start, runs, _why = (cell.strip() for cell in line.strip("|").split("|"))
        yield tz, text.strip("`"), start, runs.split(", ")


@pytest.mark.parametrize(("tz", "text", "start", "runs"), list(table()))
def test_the_page_tells_what_happens(tz, text, start, runs):
    assert wall(crontab(text, tz=tz), tz, start, len(runs)) == runs


def test_the_table_is_found():
    assert len(list(table())) >= 16
