"""Check the reports of a message, which anybody who reaches the broker can send."""

from datetime import UTC, datetime, timedelta

from msgspec import structs

from beatd.report import Report, Reports

ID_MAX_CHARS = 64
NAME_MAX_CHARS = 250  # of an entry or a worker
DROPPED_MAX = 1_000_000_000  # a counter of Prometheus cannot add an integer of any length
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def valid(message: Reports) -> tuple[Reports, int]:
    """Return the message without its invalid reports, with times in UTC, and their number.

    What is left fits every store: a poisoned report must not stop the reports after it.
    """
    reports = [fitted for report in message.reports if (fitted := _fitted(report)) is not None]
    held = message.held
    if held is not None:
        held = tuple(key for key in held if all(_is_id(part) for part in key))
    checked = structs.replace(
        message,
        worker=_without_controls(message.worker)[:NAME_MAX_CHARS],
        reports=tuple(reports),
        held=held,
        dropped=min(max(0, message.dropped), DROPPED_MAX),
    )
    return checked, len(message.reports) - len(reports)


def _fitted(report: Report) -> Report | None:
    """Return the report with times in UTC, or None if it is invalid."""
    name = report.entry
    if not (_is_id(report.id) and _is_id(report.delivery)) or name != _without_controls(name):
        return None
    if not name or len(name) > NAME_MAX_CHARS:
        return None
    planned, at = _utc(report.planned), _utc(report.at)
    if planned is None or at is None:
        return None
    return structs.replace(
        report, planned=planned, at=at, error=_without_controls(" ".join(report.error.split()))
    )


def _is_id(text: str) -> bool:
    return 0 < len(text) <= ID_MAX_CHARS and all("!" <= character <= "~" for character in text)


def _utc(moment: datetime) -> datetime | None:
    """Return the moment in UTC, or None if it has no offset or is far from now."""
    if moment.tzinfo is None:
        return None
    near = EARLIEST - timedelta(days=1) < moment < LATEST
    return moment.astimezone(UTC) if near else None


def _without_controls(text: str) -> str:
    """Return the text without the characters that a database or a terminal cannot take."""
    return "".join(c for c in text if c >= " " and c != "\x7f" and not "\ud800" <= c <= "\udfff")
