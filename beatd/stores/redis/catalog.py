"""Find entries in Redis page by page, and write changes of entries in batches."""

import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from secrets import token_hex

from msgspec import json, msgpack

from beatd.catalog import Change, Codec, Query, Stored
from beatd.errors import ConfigError
from beatd.marks import Mark, Marks
from beatd.run import micros
from beatd.stores.embedded.query import CHECKED, beginning
from beatd.stores.redis.entry_reader import PAGE, Definition, Reader, pages
from beatd.stores.redis.row_text import due_of, flags_of, progress_text, skipped, text_of
from beatd.stores.redis.script import Scripts

WRITTEN_AT_ONCE = 2000
FEW = 10_000
SORTED_HERE = 100_000  # names sorted in memory; more are read in the order of names


class RedisCatalog:
    def __init__(self, scripts: Scripts, codec: Codec, reader: Reader) -> None:
        self._scripts, self._codec, self._reader = scripts, codec, reader

    def version(self) -> str:
        client, key = self._scripts.client, self._scripts.key("version")
        found = self._scripts.ask(lambda: client.get(key))
        return found.decode() if found else "0"

    def drop_cached(self, names: Sequence[str]) -> None:
        self._reader.drop_cached(names)

    def count(self) -> int:
        client, key = self._scripts.client, self._scripts.key("rows")
        return int(self._scripts.ask(lambda: client.hlen(key)))

    def find(self, query: Query) -> Iterator[Stored]:
        holds = _asks_for(query)
        pages = (
            [
                stored
                for name, row, definition in self._reader.read(names)
                if query.source is None or definition.source == query.source
                if (stored := self._reader.streamed(name, row, definition)) is not None
                if holds(stored)
            ]
            for names in self._names(query)
        )
        found = chain.from_iterable(map(self._reader.with_running, pages))
        return islice(found, query.limit)

    def _names(self, query: Query) -> Iterable[list[str]]:
        """Yield pages of names that may match the query, in its order. Only the name pattern is
        applied; the caller must test the other conditions."""
        if query.names is not None:
            names = sorted(set(query.names))
            if query.order == "next":
                names = self._by_next(names)
            return pages(filter(_like(query.name_like), names))
        if query.enabled is False:
            stream = self._nothing_ahead()
        elif query.order == "next":
            few = self._few(query)
            stream = self._soonest(query) if few is None else iter(self._by_next(few))
        elif query.due_before is not None and self._due_before(query.due_before) <= SORTED_HERE:
            stream = iter(sorted(self._soonest(query)))
        else:
            stream = self._alphabet(query)
        if query.rules_before is not None:
            stream = self._of_older_rules(stream, query.rules_before)
        # With a limit, a page holds as many names as the caller wants.
        size = PAGE if query.limit is None else min(PAGE, max(20, query.limit))
        return pages(filter(_like(query.name_like), stream), size)

    def _few(self, query: Query) -> list[str] | None:
        """Return the names of the query's source that match its name pattern, or None if more than
        10,000.

        Also return None if the query limits the due moment, or has neither a source nor a name
        pattern with a fixed beginning.
        """
        if query.due_before is not None or not (query.source or beginning(query.name_like)):
            return None
        like = filter(_like(query.name_like), self._alphabet(query))
        names = list(islice(like, FEW + 1))
        return names if len(names) <= FEW else None

    def _nothing_ahead(self) -> Iterator[str]:
        """Yield the names of entries without a due moment, such as paused ones, in alphabetical
        order."""
        return self._soonest(Query(), after=b"inf")

    def _of_older_rules(self, names: Iterable[str], rules: str) -> Iterator[str]:
        """Yield those names whose next run was computed with planning rules older than `rules`.
        Missing and damaged entries are left out."""
        client, key = self._scripts.client, self._scripts.key("rows")
        for page in pages(names):
            rows = self._scripts.ask(lambda page=page: client.hmget(key, page))  # type: ignore[misc]
            for name, row in zip(page, rows, strict=True):
                found = None if row is None else self._reader.row(name, row)
                if found is not None and found.plan.rules < rules:
                    yield name

    def _due_before(self, moment: datetime) -> int:
        client, key = self._scripts.client, self._scripts.key("plan")
        count: int = self._scripts.ask(lambda: client.zcount(key, "-inf", f"({micros(moment)}"))
        return count

    def _by_next(self, names: Sequence[str]) -> list[str]:
        """Return the names sorted by due moment, then by name; those without a due moment come
        last. Missing and damaged entries are left out."""
        ahead: list[tuple[bool, int, str]] = []
        for page in pages(names):
            for name, row, _ in self._reader.read(page):
                due = row.plan.due
                ahead.append((due is None, 0 if due is None else micros(due), name))
        return [name for _, _, name in sorted(ahead)]

    def _alphabet(self, query: Query) -> Iterator[str]:
        """Yield the names of the query's source, or of all sources, in alphabetical order."""
        if query.source is not None:
            return self._of_source(query.source, query)
        client, key = self._scripts.client, self._scripts.key("sources")
        sources = self._scripts.ask(lambda: client.smembers(key))
        return heapq.merge(*(self._of_source(source, query) for source in self._texts(sources)))

    def _texts(self, names: Iterable[bytes]) -> Iterator[str]:
        """Yield each name that is valid UTF-8 as text, and log every other name as damaged."""
        for name in names:
            text = self._reader.damage.read(f"the name {name!r}", name.decode)
            if text is not None:
                yield text

    def _of_source(self, source: str, query: Query) -> Iterator[str]:
        """Yield the names of a source in alphabetical order. Names without the fixed beginning of
        the query's name pattern are left out."""
        key, client = self._scripts.key(f"names:{source}"), self._scripts.client
        head = beginning(query.name_like)
        seen = f"[{head}".encode() if head else b"-"
        end = b"[" + head.encode() + b"\xff" if head else b"+"
        while True:
            first = seen
            page = self._scripts.ask(
                lambda first=first: client.zrangebylex(key, first, end, 0, PAGE)  # type: ignore[misc]
            )
            yield from self._texts(page)
            if len(page) < PAGE:
                return
            seen = b"(" + page[-1]

    def _soonest(self, query: Query, after: bytes = b"") -> Iterator[str]:
        """Yield names in the order of due moment, then name, up to the query's `due_before`.
        `after` is the due moment to start at, in microseconds since 1970; b"inf" starts at entries
        without one."""
        bound = None if query.due_before is None else micros(query.due_before)
        score: bytes = after
        name: bytes = b""
        while True:
            page = self._scripts("soonest", score, name, PAGE)
            for name, score in zip(page[::2], page[1::2], strict=True):
                if bound is not None and float(score) >= bound:
                    return
                yield from self._texts([name])
            if len(page) < 2 * PAGE:
                return

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        done: list[bool] = []
        for first in range(0, len(changes), WRITTEN_AT_ONCE):
            packed = [self._packed(c) for c in changes[first : first + WRITTEN_AT_ONCE]]
            answer = self._scripts("write", f"answer:{token_hex(8)}", msgpack.encode(packed))
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
        """Yield a line of text for each entry that this program cannot read. Only the 10,000
        entries that are due first are checked."""
        for page in pages(islice(self._soonest(Query()), CHECKED)):
            for name, _, definition in self._reader.read(page):
                try:
                    self._reader.decoded(name, definition)
                except ConfigError as trouble:
                    yield f"entry {name!r} in the store was left alone: {trouble}"


def _like(shell: str | None) -> Callable[[str], bool]:
    """Return a filter for texts that match a shell pattern; None matches every text. Only * and ?
    are special, brackets are not."""
    if shell is None:
        return lambda text: True
    meaning = {"*": ".*", "?": "."}
    pattern = re.compile("".join(meaning.get(c) or re.escape(c) for c in shell), re.DOTALL)
    return lambda text: pattern.fullmatch(text) is not None


def _asks_for(query: Query) -> Callable[[Stored], bool]:
    """Return a filter for the query's conditions on task, planning rules, due moment and state. The
    filter does not test the name and the source."""
    task = _like(query.task_like)

    def holds(row: Stored) -> bool:
        due = row.plan.due
        return (
            task(row.entry.task)
            and (query.rules_before is None or row.plan.rules < query.rules_before)
            and (query.due_before is None or (due is not None and due < query.due_before))
            and (query.enabled is None or query.enabled == (row.entry.enabled and not row.paused))
        )

    return holds
