"""Search for the names of entries in the indexes of a store in Redis."""

import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from msgspec import msgpack

from beatd.canvas import task_names
from beatd.catalog import Position, Query, Stored
from beatd.run import micros
from beatd.stores.embedded.query import beginning
from beatd.stores.redis.entry_reader import PAGE, Reader, pages
from beatd.stores.redis.row_text import Row
from beatd.stores.redis.script import Scripts

NAMES_SORTED_BY_DUE = 10_000  # more names are read in the order of the index
NAMES_SORTED_BY_NAME = 100_000
NOTHING_AHEAD = b"inf"


class NameSearch:
    def __init__(self, scripts: Scripts, reader: Reader) -> None:
        self._scripts, self._reader = scripts, reader

    def names(self, query: Query) -> Iterable[list[str]]:
        """Yield the names of entries that may match a search, page by page, in the order of the
        search.

        The names begin behind `query.after`, the last entry of the page before. The caller still
        has to test the task, the time of the next run and the state of each entry.
        """
        stream: Iterator[str] = filter(like(query.name_like), self._in_order(query))
        if query.rules_before is not None or query.paused:
            stream = self._of_rows(stream, query)
        if query.contains:
            stream = self._containing(stream, query.contains)
        # With a limit, a page holds as many names as the caller wants.
        size = PAGE if query.limit is None else min(PAGE, max(20, query.limit))
        return pages(stream, size)

    def _in_order(self, query: Query) -> Iterable[str]:
        after, is_next = query.after, query.order == "next"
        if query.names is not None:
            names = sorted(set(query.names))
            return self._by_next(names, after) if is_next else _behind(after, names)
        if query.enabled is False or query.paused:
            # These entries have no due moment, so both orders are that of the names.
            name = "" if after is None or (is_next and after.due is not None) else after.name
            return self.soonest(None, NOTHING_AHEAD, name.encode())
        if is_next:
            few = self._few(query)
            if few is not None:
                return self._by_next(few, after)
            return self.soonest(query.due_before, *_place_of(after))
        due_before = query.due_before
        if due_before is not None and self._due_before(due_before) <= NAMES_SORTED_BY_NAME:
            return _behind(after, sorted(self.soonest(due_before)))
        return self._alphabet(query, after)

    def _few(self, query: Query) -> list[str] | None:
        # None: too many names to sort, or no index for them; then the entries are walked in order
        # of their next runs.
        if query.due_before is not None or not (query.source or beginning(query.name_like)):
            return None
        matching = filter(like(query.name_like), self._alphabet(query, None))
        names = list(islice(matching, NAMES_SORTED_BY_DUE + 1))
        return names if len(names) <= NAMES_SORTED_BY_DUE else None

    def _containing(self, names: Iterable[str], text: str) -> Iterator[str]:
        for page in pages(names):
            # The script also returns entries whose task has escapes; the caller tests the task
            # itself.
            found = self._scripts("containing", msgpack.encode(page), in_lower_case(text))
            yield from map(bytes.decode, found)

    def _of_rows(self, names: Iterable[str], query: Query) -> Iterator[str]:
        # Both conditions are tested on the plan's text, before definitions are decoded.
        for name, row in self._rows(names):
            is_old = query.rules_before is None or row.plan.rules < query.rules_before
            if is_old and (row.paused or not query.paused):
                yield name

    def _rows(self, names: Iterable[str]) -> Iterator[tuple[str, Row]]:
        client, key = self._scripts.client, self._scripts.key("rows")
        for page in pages(names):
            rows = self._scripts.ask(lambda page=page: client.hmget(key, page))  # type: ignore[misc]
            for name, text in zip(page, rows, strict=True):
                row = None if text is None else self._reader.row(name, text)
                if row is not None:
                    yield name, row

    def _due_before(self, moment: datetime) -> int:
        client, key = self._scripts.client, self._scripts.key("plan")
        count: int = self._scripts.ask(lambda: client.zcount(key, "-inf", f"({micros(moment)}"))
        return count

    def _by_next(self, names: Sequence[str], after: Position | None) -> list[str]:
        # Entries without a next run come last.
        places = sorted(_order_of(name, row.plan.due) for name, row in self._rows(names))
        if after is None:
            return [name for _, _, name in places]
        seen = _order_of(after.name, after.due)
        return [name for *due, name in places if (*due, name) > seen]

    def _alphabet(self, query: Query, after: Position | None) -> Iterator[str]:
        if query.source is not None:
            return self._of_source(query.source, query, after)
        client, key = self._scripts.client, self._scripts.key("sources")
        sources = self._scripts.ask(lambda: client.smembers(key))
        return heapq.merge(
            *(self._of_source(source, query, after) for source in self._texts(sources))
        )

    def _texts(self, names: Iterable[bytes]) -> Iterator[str]:
        for name in names:
            try:
                yield name.decode()
            except UnicodeDecodeError as reason:
                self._reader.damage.note(f"the name {name!r}", reason)

    def _of_source(self, source: str, query: Query, after: Position | None) -> Iterator[str]:
        key, client = self._scripts.key(f"names:{source}"), self._scripts.client
        # The index is read from the fixed beginning of the name pattern, or from the place behind
        # the last entry of the page before.
        head = beginning(query.name_like)
        seen = f"[{head}".encode() if head else b"-"
        end = b"[" + head.encode() + b"\xff" if head else b"+"
        if after is not None and after.name >= head:
            seen = f"({after.name}".encode()
        while True:
            first = seen
            page = self._scripts.ask(
                lambda first=first: client.zrangebylex(key, first, end, 0, PAGE)  # type: ignore[misc]
            )
            yield from self._texts(page)
            if len(page) < PAGE:
                return
            seen = b"(" + page[-1]

    def due_before(self, moment: datetime, limit: int) -> Iterator[str]:
        """Yield the names of up to `limit` entries that are due before `moment`, the soonest
        first."""
        client, key = self._scripts.client, self._scripts.key("plan")
        end = f"({micros(moment)}"
        yield from self._texts(
            self._scripts.ask(lambda: client.zrangebyscore(key, "-inf", end, 0, limit))
        )

    def soonest(
        self, due_before: datetime | None, score: bytes = b"", name: bytes = b""
    ) -> Iterator[str]:
        """Yield the names of all entries in the order of their next runs, then by name.

        It ends at `due_before`, and starts behind the entry with this `score` and `name`. A score
        is the time in microseconds since 1970, or NOTHING_AHEAD without a next run.
        """
        bound = None if due_before is None else micros(due_before)
        while True:
            page = self._scripts("soonest", score, name, PAGE)
            places = zip(page[::2], page[1::2], strict=True)
            names = [name for name, score in places if bound is None or float(score) < bound]
            yield from self._texts(names)
            if len(names) < PAGE:
                return
            name, score = page[-2:]


def _place_of(after: Position | None) -> tuple[bytes, bytes]:
    if after is None:
        return b"", b""
    score = NOTHING_AHEAD if after.due is None else str(micros(after.due)).encode()
    return score, after.name.encode()


def _order_of(name: str, due: datetime | None) -> tuple[bool, int, str]:
    return due is None, 0 if due is None else micros(due), name


def _behind(after: Position | None, names: Iterable[str]) -> Iterable[str]:
    return names if after is None else (name for name in names if name > after.name)


def like(shell: str | None) -> Callable[[str], bool]:
    """Return a function that is True for texts that match a shell pattern, or for all texts if
    None.

    Only * and ? are special, brackets are not.
    """
    if shell is None:
        return lambda text: True
    meaning = {"*": ".*", "?": "."}
    pattern = re.compile("".join(meaning.get(c) or re.escape(c) for c in shell), re.DOTALL)
    return lambda text: pattern.fullmatch(text) is not None


def in_lower_case(text: str) -> bytes:
    """Encode a text in UTF-8 with its letters from A to Z in lower case."""
    return text.encode(errors="surrogatepass").lower()


def asks_for(query: Query) -> Callable[[Stored], bool]:
    """Return a function that is True for entries that match a search, apart from name and
    source."""
    task = like(query.task_like)
    text = None if query.contains is None else in_lower_case(query.contains)

    def holds(row: Stored) -> bool:
        due = row.plan.due
        return (
            any(map(task, task_names(row.entry)))
            and (query.rules_before is None or row.plan.rules < query.rules_before)
            and (query.due_before is None or (due is not None and due < query.due_before))
            and (query.enabled is None or query.enabled == (row.entry.enabled and not row.paused))
            and (query.paused is None or query.paused == row.paused)
            and (
                text is None
                or text in in_lower_case(row.entry.name)
                or any(text in in_lower_case(name) for name in task_names(row.entry))
            )
        )

    return holds
