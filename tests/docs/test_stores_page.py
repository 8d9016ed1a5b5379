"""The tables of docs/stores.md name each store and lock, with the default lock of each."""

import re

import pytest

from beatd.config.schemes import DJANGO, LOCKS, STORES, lock_url
from tests.docs.blocks import page

TEXT = page("stores.md").read_text()
STORE_ROWS, LOCK_ROWS = (
    re.findall(r"^\| (`[^|]*[:+][^|]*|`none`) \|", part, re.MULTILINE)
    for part in TEXT.split("## What each lock gives")
)


def named(rows: list[str]) -> set[str]:
    return {url for row in rows for url in re.findall(r"`([^`]+)`", row)}


def test_each_store_and_each_lock_has_its_row() -> None:
    assert named(STORE_ROWS) == {*STORES, f"{DJANGO}URL", "sentinel://", "redis+cluster://"}
    # A SQLite file can be the lock, though a message names the better one, a lock file.
    others = {"sqlite:///PATH", "sentinel://", "redis+cluster://"}
    assert named(LOCK_ROWS) == {*LOCKS, *others}


@pytest.mark.parametrize(
    "store, lock",
    [
        ("sqlite:////srv/a.db", "file:/srv/a.db.lock"),
        ("shelve:/srv/a", "file:/srv/a.lock"),
        ("memory:", "none"),
        *((url, url) for url in ("postgresql://db/a", "mysql://db/a", "redis://db/0")),
        *((url, url) for url in ("sentinel://h/s/0", "redis+cluster://h:1")),
        (f"{DJANGO}postgresql://db/a", "postgresql://db/a"),
    ],
)
def test_the_default_lock_is_the_one_on_the_page(store: str, lock: str) -> None:
    assert lock_url(store, None) == lock
