"""Read and delete the history of runs, which is a Redis stream.

Runs that are reserved for sending and have no outcome yet are listed among the records.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Any

from msgspec import json, msgpack

from beatd.errors import StoreError
from beatd.history import HistoryPage, Record
from beatd.ledger import Request
from beatd.marks import ARGUMENTS_PREFIX, Mark
from beatd.run import micros, moment_of
from beatd.stores.damage import Damage
from beatd.stores.redis.entry_reader import pages
from beatd.stores.redis.row_text import claimed_of, is_stream_id, record_of, request_text
from beatd.stores.redis.script import Scripts

PAGE = 500
LINES_AT_ONCE = 2000  # that one script reads of several entries
Told = tuple[datetime, Record]


class RedisHistory:
    def __init__(self, scripts: Scripts, damage: Damage) -> None:
        self._scripts, self._damage = scripts, damage

    def add_requests(self, requests: Sequence[Request]) -> None:
        asked = [(request.id, request.name, request_text(request)) for request in requests]
        self._scripts("add_requests", msgpack.encode(asked))

    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        size = PAGE if limit is None else max(1, min(PAGE, limit))
        lines = self._all_lines(size) if name is None else self._lines_of(name, size)
        # Read first: a claim that ends meanwhile is returned twice rather than not at all.
        claims = list(self._claims(name))
        merged = heapq.merge(claims, lines, key=itemgetter(0), reverse=True)
        return islice((record for _, record in merged), limit)

    def history_page(self, name: str | None, limit: int, place: str = "") -> HistoryPage:
        if place and not is_stream_id(place):
            return HistoryPage((), "")
        claims = [] if place else list(islice(self._claims(name), limit))
        size = limit - len(claims)
        # One line more than the page has: its id is where the next page begins.
        if name is None:
            lines = self._page_of_all(place or "+", size + 1)
        else:
            _, *lines = self._scripts("lines", name, place, size + 1)
        rest = _text(lines[size][0]) if len(lines) > size else ""
        told = heapq.merge(claims, self._told(lines[:size]), key=itemgetter(0), reverse=True)
        return HistoryPage([record for _, record in told], rest)

    def newest_records(self, names: Sequence[str], limit: int) -> Mapping[str, Sequence[Record]]:
        found = dict[str, Sequence[Record]]()
        for page in pages(names, max(1, LINES_AT_ONCE // max(1, limit))):
            reply = self._scripts("newest_lines", msgpack.encode(page), limit)
            for name, lines in zip(page, reply, strict=True):
                if records := [record for _, record in self._told(lines)]:
                    found[name] = records
        return found

    def _all_lines(self, size: int) -> Iterator[Told]:
        newest = "+"
        while True:
            page = self._page_of_all(newest, size)
            yield from self._told(page)
            if len(page) < size:
                return
            newest = "(" + _text(page[-1][0])

    def _page_of_all(self, newest: str, size: int) -> Sequence[Any]:
        # Postponed lines are written before the newest page is read.
        client, key = self._scripts.client, self._scripts.key("history")
        if newest == "+":
            with suppress(StoreError):  # a full Redis writes no line; the older ones are readable
                while self._scripts("write_up", PAGE):
                    pass
        page: Sequence[Any] = self._scripts.ask(
            lambda: client.execute_command("XREVRANGE", key, newest, "-", "COUNT", size)
        )
        return page

    def _lines_of(self, name: str, size: int) -> Iterator[Told]:
        goes_on: Any = b""
        while True:
            goes_on, *page = self._scripts("lines", name, goes_on, size)
            yield from self._told(page)
            if not goes_on:
                return

    def _claims(self, name: str | None) -> Iterator[Told]:
        client = self._scripts.client
        open_key, claims_key = self._scripts.key("open"), self._scripts.key("claims")
        origins_key = self._scripts.key("origins")
        first = 0
        while True:
            keys = self._scripts.ask(
                lambda first=first: client.zrevrange(open_key, first, first + PAGE - 1)  # type: ignore[misc]
            )
            mine = [k for k in keys if name is None or k.split(b":", 2)[-1] == name.encode()]
            if mine:
                found = self._scripts.ask(lambda mine=mine: client.hmget(claims_key, mine))  # type: ignore[misc]
                origins = self._scripts.ask(lambda mine=mine: client.hmget(origins_key, mine))  # type: ignore[misc]
                for key, claim, origin in zip(mine, found, origins, strict=True):
                    read = partial(claimed_of, key, claim, origin)
                    told = claim and self._damage.read(f"the open claim {key!r}", read)
                    if told:
                        yield told
            if len(keys) < PAGE:
                return
            first += PAGE

    def _told(self, page: Sequence[Any]) -> Iterator[Told]:
        for line in page:
            told = self._damage.read(f"the line of history {_text(line[0])}", partial(_told, line))
            if told is not None:
                yield told

    def forget(self, before: datetime, keep: int) -> int:
        dropped = 0
        while True:
            batch: int = self._scripts("forget", micros(before), keep, PAGE)
            dropped += batch
            if batch < PAGE:
                break
        while self._scripts("forget_outcomes", micros(before), keep, PAGE) == PAGE:
            pass
        self._forget_arguments(before)
        return dropped

    def _forget_arguments(self, before: datetime) -> None:
        client, key = self._scripts.client, self._scripts.key("applied")
        pattern = f"{ARGUMENTS_PREFIX}*"
        found = self._scripts.ask(lambda: list(client.hscan_iter(key, match=pattern, count=1000)))
        for name, text in found:
            mark = self._damage.read(f"the mark of {name!r}", partial(json.decode, text, type=Mark))
            if mark is not None and mark.at < before:
                self._scripts.ask(lambda name=name: client.hdel(key, name))  # type: ignore[misc]


def _told(line: Any) -> Told:
    id, fields = line
    if isinstance(fields, dict):  # redis-py reads the stream commands it knows into mappings
        fields = [part for pair in fields.items() for part in pair]
    return moment_of(int(_text(id).partition("-")[0])), record_of(fields)


def _text(id: Any) -> str:
    return id.decode() if isinstance(id, bytes) else str(id)
