"""Pages and answers of the API about a store whose rows other programs changed."""

import asyncio
import random
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import unescape
from pathlib import Path

from beatd.errors import StoreError
from tests.fuzz.target import Call, CallMany, Target
from tests.fuzz.targets.reading import NAMES
from tests.fuzz.targets.requests import BEARER, SAME, Server, loop
from tests.fuzz.targets.sql_damage import COLUMNS, OF_ENTRIES, damages, made
from tests.fuzz.targets.sql_many import Damaged, store_of_many
from tests.fuzz.targets.sql_reach import Reached, reaching
from tests.fuzz.targets.sql_renewed import damaged_store

OUTCOMES = 500  # of one store: most damages change what some page shows
MANY = 50  # inputs in one store
_LISTS = (
    "/", "/entries", "/entries?sort=next", "/history", "/incidents", "/daemons", "/changes", "/ahead", "/entries.ics",
    *(f"/api/v1/{path}?limit=500" for path in ("entries", "history", "changes", "incidents")),
    *(f"/api/v1/{path}" for path in ("ahead", "requests", "status")),
)  # fmt: skip
_OF_ENTRY = (
    *(f"/entries/{{name}}{part}" for part in ("", "/edit", "/run", "/backfill")),
    *(f"/api/v1/entries/{{name}}{part}" for part in ("", "/next", "/why", "/history")),
    "/history?name={name}", "/badge/{name}.svg", "/api/v1/changes?entry={name}",
    "/api/v1/incidents?entry={name}", "/changes/{change}/undo",
)  # fmt: skip
_LONG = {"/entries/{name}", "/api/v1/entries/{name}/why"}  # take four times as long
_NEXT = re.compile(r'<a rel="next" href="([^"]*)"')


def _asking(path: str) -> bytes:
    headers = BEARER if path.startswith("/api/") else SAME
    return f"GET {path}\n{headers}\n\n".encode()


ALL = (
    *_LISTS,
    *(
        page.format(name=name, change=number)
        for number, name in enumerate(NAMES, 1)
        for page in _OF_ENTRY
    ),
)


@contextmanager
def _opened(folder: Path) -> Iterator[Call]:
    server = Server()
    with damaged_store(folder) as damaged, loop() as running:

        def call(data: bytes) -> str:
            store, done = damaged(data)
            server.stand_on(store)  # keeps no results of the store as it was
            answers = [running.run_until_complete(server.answer(_asking(path))) for path in ALL]
            return f"{done} {zlib.crc32(str(answers).encode()) % OUTCOMES}"

        yield call


@contextmanager
def _opened_many(folder: Path) -> Iterator[CallMany]:
    server, everything = Server(), {table: set(OF_ENTRIES) for table in OF_ENTRIES}
    with store_of_many(folder / "many.db", MANY) as damaged, loop() as running:
        reached = _pages_reaching(damaged(()), server, running)

        def call(inputs: Sequence[bytes]) -> Sequence[bytes]:
            found = damaged(inputs)
            found.remove_rest(everything)
            server.stand_on(found.store)
            if len(inputs) == MANY:
                some = random.Random(b"".join(inputs))
                running.run_until_complete(_read(server, found, reached, some))
            else:
                running.run_until_complete(_read_each(server, found))
            return found.alone

        yield call


async def _read(server: Server, found: Damaged, reached: Reached, some: random.Random) -> None:
    # Half of the lists, and of half of the damaged entries a page that reaches what is damaged.
    for path in _LISTS:
        if some.random() < 0.5:
            await _read_list(server, path)
    for name, tables in found.tables.items():
        pages = [page for page in _OF_ENTRY if reached[page] & tables]
        if pages and some.random() < 0.5:
            (page,) = some.choices(pages, [1 if page in _LONG else 2 for page in pages])
            await _ask(server, _page_of(found, page, name))


async def _read_each(server: Server, found: Damaged) -> None:
    # All pages, so that a part of the inputs fails as all of them did.
    for path in _LISTS:
        await _read_list(server, path)
    for name in found.tables:
        for page in _OF_ENTRY:
            await _ask(server, _page_of(found, page, name))


def _page_of(found: Damaged, page: str, name: str) -> str:
    kind = name.rstrip("0123456789")
    ((change,),) = found.owned[kind][int(name.removeprefix(kind))]["change"]
    return page.format(name=name, change=change)


async def _read_list(server: Server, path: str) -> None:
    on: str | None = path
    while on is not None:
        content = await _ask(server, on)
        found = _NEXT.search(content)
        on = unescape(found[1]) if found else None


async def _ask(server: Server, path: str) -> str:
    said, status, content = await server.ask(_asking(path))
    if status == 503:
        raise StoreError(f"{path} was refused, so that it did not show all rows: {said}")
    return content.decode(errors="replace")


def _pages_reaching(
    found: Damaged, server: Server, running: asyncio.AbstractEventLoop
) -> dict[str, set[str]]:
    reached: dict[str, set[str]] = {page: set() for page in _OF_ENTRY}
    for name in (f"{name}0" for name in NAMES):
        for page in _OF_ENTRY:
            server.stand_on(found.store)
            with reaching(found.store) as seen:
                running.run_until_complete(_ask(server, _page_of(found, page, name)))
            reached[page] |= seen
    return reached


TARGETS = (
    Target(
        name="pages", about="pages and the API on a SQLite store that other programs changed",
        seeds=damages, opened=_opened, weight=100, made=made, opened_many=_opened_many,
        many=MANY,
        words=("set", "sub", "gone", *COLUMNS, *{c for cs in COLUMNS.values() for c in cs.split()}),
    ),
)  # fmt: skip
