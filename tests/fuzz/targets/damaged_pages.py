"""Pages and answers of the API about a store whose rows other programs changed."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from beatd.stores.sql import SqlStore
from tests.fuzz.target import Call, Target
from tests.fuzz.targets.reading import NAMES
from tests.fuzz.targets.requests import BEARER, SAME, Server, loop
from tests.fuzz.targets.sql_damage import COLUMNS, damages, made
from tests.fuzz.targets.sql_renewed import damaged_store

SHOWN_EACH = 3  # pages of one damaged store
_OF_ENTRY = ("", "/edit", "/run", "/backfill")
_PAGES = (
    "/", "/entries", "/entries?sort=next", "/history", "/history?name=bad", "/incidents", "/daemons", "/changes",
    "/changes/1/undo", "/changes/2/undo", "/ahead", "/entries.ics", "/badge/bad.svg",
    *(f"/entries/{name}{part}" for name in NAMES[:2] for part in _OF_ENTRY),
)  # fmt: skip
_API = (
    "entries", "entries/bad", "entries/bad/next", "entries/bad/why", "entries/bad/history", "history", "changes",
    "changes?entry=bad", "incidents", "daemons", "status", "runs",
)  # fmt: skip
ASKED = (
    *(f"GET {page}\n{SAME}\n\n".encode() for page in _PAGES),
    *(f"GET /api/v1/{path}\n{BEARER}\n\n".encode() for path in _API),
)


@contextmanager
def _opened(folder: Path) -> Iterator[Call]:
    server, known = Server(), list[SqlStore]()
    with damaged_store(folder) as damaged, loop() as running:

        def call(data: bytes) -> str:
            store, done = damaged(data)
            if known != [store]:
                known[:] = [store]
                server.stand_on(store)
            first = zlib.crc32(data)
            answers = [
                running.run_until_complete(server.answer(ASKED[(first + n * 7) % len(ASKED)]))
                for n in range(SHOWN_EACH)
            ]
            return f"{done} {answers}"

        yield call


TARGETS = (
    Target(
        name="pages", about="pages and the API on a SQLite store that other programs changed",
        seeds=damages, opened=_opened, weight=100, made=made,
        words=("set", "sub", "gone", *COLUMNS, *{c for cs in COLUMNS.values() for c in cs.split()}),
    ),
)  # fmt: skip
