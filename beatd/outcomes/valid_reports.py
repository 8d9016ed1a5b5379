"""Check the reports in a worker's message, because anybody who reaches the broker can send one."""

from datetime import UTC, datetime, timedelta

from msgspec import structs

from beatd.report import Report, Reports

ID_MAX_CHARS = 64
NAME_MAX_CHARS = 250  # of an entry or a worker
DROPPED_MAX = 1_000_000_000  # a counter of Prometheus cannot add an integer of any length
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def valid(message: Reports) -> tuple[Reports, int]:
    """Return a worker's message without its invalid reports, and the number of invalid reports.

    Every store can write the remaining reports. Times are in UTC; long names are cut, and invalid
    ids in `held` are removed.
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
    return 0 < len(text) <= ID_MAX_CHARS and text.isascii() and text.isprintable()


def _utc(moment: datetime) -> datetime | None:
    # None if the moment has no offset or is before 2000 or after 2200.
    if moment.tzinfo is None:
        return None
    near = EARLIEST - timedelta(days=1) < moment < LATEST
    return moment.astimezone(UTC) if near else None


def _without_controls(text: str) -> str:
    # A database or a terminal cannot process them.
    return "".join(c for c in text if c >= " " and c != "\x7f" and not "\ud800" <= c <= "\udfff")
