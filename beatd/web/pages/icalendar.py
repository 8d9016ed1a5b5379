"""Write events as iCalendar text (RFC 5545)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

LINE_BYTES_MAX = 75
_ESCAPED = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"}
#: Control characters, which a text cannot hold, are left out.
_TEXT = str.maketrans({**dict.fromkeys((*map(chr, range(32)), "\x7f"), ""), **_ESCAPED})


def event(uid: str, moment: datetime, summary: str, description: str, now: datetime) -> list[str]:
    """Return the lines of an iCalendar event at one moment, which does not mark anybody as busy."""
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
    """Return an iCalendar file with a name, a description `about` it and these events."""
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
    """Escape a text for use as an iCalendar property value."""
    return value.replace("\r\n", "\n").translate(_TEXT)


def utc_text(moment: datetime) -> str:
    """Format a time for iCalendar, such as "20261128T023000Z", without fractions of a second."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def folded(line: str) -> Iterator[str]:
    """Split a line of iCalendar into pieces of at most LINE_BYTES_MAX bytes in UTF-8.

    Each piece but the first begins with a space. No character is split.
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
