"""Many processes on the same entries: no lost update, no double claim, no error."""

import subprocess
import sys
from collections import Counter

import pytest
from msgspec import json

from beatd.catalog import Query
from beatd.definition import codec
from beatd.stores.sql import SqlStore
from tests.stores.sql.crowd import MANY, fresh


def crowd_of_eight(url: str, seconds: float) -> None:
    store = SqlStore(url, codec=codec)
    try:
        assert all(store.write([fresh(number) for number in range(MANY)]))
        crowd = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.stores.sql.crowd", url, f"p{me}", str(seconds)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for me in range(8)
        ]
        told = {}
        for me, process in enumerate(crowd):
            out, error = process.communicate()
            assert process.returncode == 0, error.decode()[-2000:]
            told[f"p{me}"] = json.decode(out)
        rows = {row.entry.name: row for row in store.find(Query())}
        for me, one in told.items():
            for name, count in one["patches"].items():
                assert rows[name].entry.kwargs[me] == count, "an edit was lost"
        claimed = Counter(task for one in told.values() for task in one["claimed"])
        assert claimed, "nobody claimed anything"
        assert max(claimed.values()) == 1, "an occurrence was claimed twice"
        ended = Counter(record.task_id for record in store.history(None, None) if record.task_id)
        assert ended == claimed, "the history tells another story"
        assert not list(store.unknowns(rows[next(iter(rows))].plan.planned, 10))
    finally:
        store.close()


def test_eight_processes_lose_no_edit_and_double_no_claim(url: str) -> None:
    crowd_of_eight(url, 2)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_eight_processes_lose_no_edit_and_double_no_claim_in_a_minute(url: str) -> None:
    crowd_of_eight(url, 60)
