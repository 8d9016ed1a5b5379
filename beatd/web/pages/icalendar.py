"""Write events as iCalendar text (RFC 5545)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

LINE_BYTES_MAX = 75
_ESCAPED = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"}
#: Control characters, which a text cannot hold, are left out.
_TEXT = str.maketrans({**dict.fromkeys((*map(chr, range(32)), "\x7f"), ""), **_ESCAPED})


def event(uid: str, moment: datetime, summary: str, description: str, now: datetime) -> list[str]:
    """Return the lines of an event without a length, which keeps nobody busy."""
    return [
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{utc_text(now)}",
        f"DTSTART:{utc_text(moment)}",
        f"SUMMARY:{text(summary)}",
        f"DESCRIPTION:{text(description)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def calendar(name: str, about: str, events: Iterable[list[str]]) -> str:
    """Return a calendar with its name, a text about it and its events."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//beatd//beatd//EN",
        "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{text(name)}",
        f"X-WR-CALDESC:{text(about)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        *(line for one in events for line in one),
        "END:VCALENDAR",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in folded(line))


def text(value: str) -> str:
    """Return a text as the value of a property."""
    return value.replace("\r\n", "\n").translate(_TEXT)


def utc_text(moment: datetime) -> str:
    """Return a moment as "20261128T023000Z"; fractions of a second are dropped."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def folded(line: str) -> Iterator[str]:
    """Yield the pieces of a line, each at most LINE_BYTES_MAX bytes long in UTF-8.

    All pieces but the first begin with a blank. No character is cut.
    """
    if len(line) * 4 <= LINE_BYTES_MAX or len(line.encode()) <= LINE_BYTES_MAX:
        yield line
        return
    piece: list[str] = []
    size = 0
    for letter in line:
        width = len(letter.encode())
        if size + width > LINE_BYTES_MAX:
            yield "".join(piece)
            piece = [" "]
            size = 1
        piece.append(letter)
        size += width
    yield "".join(piece)
