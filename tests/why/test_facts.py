"""What is read of a long history to answer why a run did or did not happen."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.history import Record
from beatd.why.facts import OUTCOMES_READ, RECORDS_READ, records_of
from tests.why.test_chain import NOON, row

MINUTE = timedelta(minutes=1)
LAST = NOON - MINUTE
ENTRY = replace(row(), last=LAST)


class LongHistory:
    """A history of one entry, which counts the records that are read of it."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records, self.read = records, 0

    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        for record in self.records[:limit]:
            self.read += 1
            yield record


def ran(planned: datetime, written: datetime | None = None) -> Record:
    origin = "planned" if written is None else "backfill"
    return Record("noon", planned, "published", published=written or planned, origin=origin)


#: One run each minute, the newest first.
EVERY_MINUTE = [ran(LAST - MINUTE * place) for place in range(5_000)]


def found(
    records: Sequence[Record], at: datetime | None = None, entry: Stored | None = ENTRY
) -> tuple[list[Record], int]:
    history = LongHistory(records)
    return records_of(history, "noon", entry, at), history.read  # type: ignore[arg-type]


def test_only_the_newest_records_are_read_for_the_newest_run() -> None:
    records, read = found(EVERY_MINUTE)
    assert records == EVERY_MINUTE[: OUTCOMES_READ + 1] and read == OUTCOMES_READ + 1


def test_the_last_run_is_found_behind_a_backfill_that_was_written_after_it() -> None:
    old = [ran(NOON - timedelta(days=9) - MINUTE * n, NOON) for n in range(OUTCOMES_READ + 50)]
    records, _ = found([*old, *EVERY_MINUTE])
    assert EVERY_MINUTE[0] in records


@pytest.mark.parametrize("place", [0, 700, RECORDS_READ - 1])
def test_the_record_of_a_moment_is_found_with_runs_before_it(place: int) -> None:
    records, _ = found(EVERY_MINUTE, EVERY_MINUTE[place].planned)
    assert records == EVERY_MINUTE[: min(RECORDS_READ, place + 1 + OUTCOMES_READ)]


def test_a_skipped_series_is_found_by_a_moment_within_it() -> None:
    until = EVERY_MINUTE[599].planned
    series = Record("noon", until - MINUTE * 99, "skipped", until=until, count=100)
    records, _ = found([*EVERY_MINUTE[:599], series, *EVERY_MINUTE[699:]], until - MINUTE * 40)
    assert series in records


def test_a_moment_without_a_record_ends_the_search_at_the_run_before_it() -> None:
    _, read = found(EVERY_MINUTE, EVERY_MINUTE[300].planned + MINUTE / 2)
    assert read == 301 + OUTCOMES_READ


def test_no_more_than_the_bound_is_read() -> None:
    _, read = found(EVERY_MINUTE, NOON - timedelta(days=365))
    assert read == RECORDS_READ


def test_of_a_removed_entry_the_newest_records_are_read() -> None:
    records, _ = found(EVERY_MINUTE, entry=None)
    assert records == EVERY_MINUTE[:OUTCOMES_READ]
