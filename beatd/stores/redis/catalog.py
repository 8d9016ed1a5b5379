"""Find entries in Redis page by page, and write changes of entries in batches."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from secrets import token_hex

from msgspec import json, msgpack

from beatd.catalog import Change, Codec, PlannedEntry, Query, Stored
from beatd.errors import ConfigError
from beatd.marks import Mark, Marks
from beatd.stores.embedded.query import CHECKED
from beatd.stores.redis.change_text import author_text, pause_text
from beatd.stores.redis.entry_reader import Definition, Reader, pages
from beatd.stores.redis.name_search import NameSearch, asks_for
from beatd.stores.redis.row_text import due_of, flags_of, progress_text, skipped, text_of
from beatd.stores.redis.script import Scripts

WRITTEN_AT_ONCE = 2000


class RedisCatalog:
    def __init__(self, scripts: Scripts, codec: Codec, reader: Reader) -> None:
        self._scripts, self._codec, self._reader = scripts, codec, reader
        self._search = NameSearch(scripts, reader)

    def version(self) -> str:
        client, key = self._scripts.client, self._scripts.key("version")
        found = self._scripts.ask(lambda: client.get(key))
        return found.decode(errors="replace") if found else "0"

    def drop_cached(self, names: Sequence[str]) -> None:
        self._reader.drop_cached(names)

    def count(self) -> int:
        client, key = self._scripts.client, self._scripts.key("rows")
        return int(self._scripts.ask(lambda: client.hlen(key)))

    def existing(self, names: Sequence[str]) -> set[str]:
        client, key = self._scripts.client, self._scripts.key("rows")
        found: set[str] = set()
        for page in pages(names):
            rows = self._scripts.ask(lambda page=page: client.hmget(key, page))  # type: ignore[misc]
            found |= {name for name, row in zip(page, rows, strict=True) if row is not None}
        return found

    def find(self, query: Query) -> Iterator[Stored]:
        holds = asks_for(query)
        pages = (
            [
                stored
                for name, row, definition in self._reader.read(names)
                if query.source is None or definition.source == query.source
                if (stored := self._reader.streamed(name, row, definition)) is not None
                if holds(stored)
            ]
            for names in self._search.names(query)
        )
        running = map(self._reader.with_running, pages)
        found = chain.from_iterable(map(self._reader.with_pauses, running))
        return islice(found, query.limit)

    def plans_before(self, before: datetime, limit: int) -> Iterator[PlannedEntry]:
        names = pages(self._search.due_before(before, limit))
        return islice(chain.from_iterable(map(self._reader.planned_entries, names)), limit)

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        done: list[bool] = []
        for first in range(0, len(changes), WRITTEN_AT_ONCE):
            batch = list(enumerate(changes[first : first + WRITTEN_AT_ONCE], 1))
            told = (
                [self._packed(change) for _, change in batch],
                {place: author_text(c.author) for place, c in batch if c.author is not None},
                {place: pause_text(c.pause) for place, c in batch if c.pause is not None},
            )
            answer = self._scripts("write", f"answer:{token_hex(8)}", *map(msgpack.encode, told))
            done += [made == ord("1") for made in answer]
        return done

    def _packed(self, change: Change) -> tuple[object, ...]:
        entry, plan = change.entry, change.plan
        if entry is None:
            return (change.name, str(change.seen), False)
        when: tuple[object, ...] = (False, "", "", "", "")
        if plan is not None:
            ahead = (text_of(plan.planned), due_of(plan), plan.fingerprint, plan.rules)
            when = (progress_text(change.progress), *ahead)
        passed: tuple[object, ...] = (False, "")
        if change.skip is not None:
            passed = (text_of(change.skip.planned), skipped(change.skip, ""))
        missed = "" if change.missed is None else skipped(change.missed, "")
        return (
            change.name,
            str(change.seen),
            Definition.packed(self._codec, entry),
            "1" if entry.enabled and not change.paused else "0",
            flags_of(enabled=entry.enabled, paused=change.paused),
            *when,
            str(change.runs),
            text_of(change.last),
            entry.source,
            *passed,
            change.calls_off,
            missed,
            entry.overlap == "allow",
        )

    @property
    def marks(self) -> Marks:
        return Marks(self)

    def read_mark(self, key: str) -> Mark | None:
        client, marks = self._scripts.client, self._scripts.key("applied")
        found = self._scripts.ask(lambda: client.hget(marks, key))
        if not found:
            return None
        what = f"the mark of {key!r}"
        return self._reader.damage.read(what, lambda: json.decode(found, type=Mark))

    def write_mark(self, mark: Mark) -> None:
        client, marks = self._scripts.client, self._scripts.key("applied")
        self._scripts.ask(lambda: client.hset(marks, mark.key, json.encode(mark)))

    def unreadable(self) -> Iterator[str]:
        """Yield a message for each entry that this program cannot read.

        Only the 10,000 entries that run next are checked.
        """
        for page in pages(islice(self._search.soonest(None), CHECKED)):
            for name, _, definition in self._reader.read(page):
                try:
                    self._reader.decoded(name, definition)
                except ConfigError as trouble:
                    yield f"entry {name!r} in the store was left alone: {trouble}"
