"""Read entries from Redis, with a cache of decoded definitions."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from msgspec import Raw, json, msgpack
from msgspec.structs import replace

from beatd.byte_cache import ByteCache
from beatd.catalog import Codec, PlannedEntry, Stored
from beatd.changes import Pause
from beatd.entry import Entry, Overlap
from beatd.errors import ConfigError
from beatd.run import Running, moment_of
from beatd.stores.damage import UNREADABLE, Damage
from beatd.stores.redis.change_text import pause_of
from beatd.stores.redis.row_text import ENABLED, Row, running_of
from beatd.stores.redis.script import Scripts

T = TypeVar("T")
_PACKED = tuple[str, str, Raw]
KNOWN_BYTES = 32 * 2**20  # some 20,000 entries with few arguments
PAGE = 1000
ALLOW: Overlap = "allow"


class Definition:
    """The definition of an entry with its revision, decoded from its text in Redis.

    The text is the revision, a tab and JSON. A damaged text raises an exception.
    """

    __slots__ = ("declared_at", "json", "revision", "source")

    def __init__(self, text: bytes) -> None:
        revision, packed = text.split(b"\t", 1)
        self.revision = int(revision)
        self.source, self.declared_at, definition = json.decode(packed, type=_PACKED)
        self.json = bytes(definition)

    @staticmethod
    def packed(codec: Codec, entry: Entry) -> str:
        """Return the JSON text of an entry for Redis, without the revision that `write.lua`
        adds."""
        definition = Raw(codec.encode(entry))
        return json.encode((entry.source, entry.declared_at, definition)).decode()


class Reader:
    """Reads entries from Redis and caches their decoded definitions; safe for several threads."""

    def __init__(self, scripts: Scripts, codec: Codec, damage: Damage) -> None:
        self._scripts, self._codec, self.damage = scripts, codec, damage
        self._known = ByteCache[str, tuple[int, Entry | None]](KNOWN_BYTES)

    def forget(self) -> None:
        self._known.clear()

    def drop_cached(self, names: Iterable[str]) -> None:
        self._known.drop(names)

    def stored(
        self, rows: Sequence[tuple[str, bytes | None]], *, unmoved: bool = False
    ) -> dict[str, Stored]:
        """Return entries with their next runs, from pairs of a name and the text of the next run in
        Redis.

        An entry without a text or with an unreadable definition is left out. With `unmoved`, an
        entry whose next run changed while it was read is left out, too.
        """
        found: dict[str, Stored] = {}
        unknown: dict[str, Row] = {}
        for name, text in rows:
            row = None if text is None else self.row(name, text)
            if row is None:
                continue
            known = self._known.get(name)
            if known is None or known[0] != row.revision:
                unknown[name] = row
            elif known[1] is not None:
                found[name] = _stored(known[1], row)
        for page in pages(unknown):
            for name, row, definition in self.read(page):
                entry = self._remembered(name, definition)
                if entry is not None and not (unmoved and row.plan != unknown[name].plan):
                    found[name] = _stored(entry, row)
        if all(stored.entry.overlap == ALLOW for stored in found.values()):
            return found
        return {stored.entry.name: stored for stored in self.with_running(found.values())}

    def with_running(self, rows: Iterable[Stored]) -> Iterator[Stored]:
        """Yield these entries in order, each with the running run that its next run must not
        overlap."""
        rows = list(rows)
        names = [stored.entry.name for stored in rows if stored.entry.overlap != ALLOW]
        running = self.running(names) if names else {}
        for stored in rows:
            run = running.get(stored.entry.name)
            yield stored if run is None else replace(stored, running=run)

    def with_pauses(self, rows: Iterable[Stored]) -> Iterator[Stored]:
        """Yield these entries in order, the paused ones with who paused them, why and until
        when."""
        rows = list(rows)
        names = [stored.entry.name for stored in rows if stored.paused]
        pauses = self._pauses(names) if names else {}
        for stored in rows:
            pause = pauses.get(stored.entry.name)
            yield stored if pause is None else replace(stored, pause=pause)

    def _pauses(self, names: Sequence[str]) -> dict[str, Pause]:
        client, key = self._scripts.client, self._scripts.key("pauses")
        found: dict[str, Pause] = {}
        for page in pages(names):
            texts = self._scripts.ask(lambda page=page: client.hmget(key, page))  # type: ignore[misc]
            for name, text in zip(page, texts, strict=True):
                if text is not None:
                    pause = self.damage.read(f"the pause of {name!r}", partial(pause_of, text))
                    if pause is not None:
                        found[name] = pause
        return found

    def running(self, names: Sequence[str]) -> dict[str, Running]:
        """Return the running runs of these entries, by name; damaged ones are logged and left
        out."""
        client, key = self._scripts.client, self._scripts.key("running")
        found: dict[str, Running] = {}
        for page in pages(names):
            texts = self._scripts.ask(lambda page=page: client.hmget(key, page))  # type: ignore[misc]
            for name, text in zip(page, texts, strict=True):
                if text is not None and (run := self.run(name, text)) is not None:
                    found[name] = run
        return found

    def run(self, name: str, text: bytes) -> Running | None:
        """Decode the running run of an entry; if the text is damaged, log this and return None."""
        return self.damage.read(f"the running run of {name!r}", partial(running_of, text))

    def gone(self, rows: Iterable[tuple[str, bytes | None]]) -> set[str]:
        return {name for name, text in rows if text is None}

    def read(self, names: Sequence[str]) -> list[tuple[str, Row, Definition]]:
        """Read the definition and the next run of each entry, all at the same instant.

        Missing and damaged entries are left out; damage is logged.
        """
        reply = self._scripts("entries", msgpack.encode(names))
        found = []
        for name, row_text, text in zip(names, reply[::2], reply[1::2], strict=True):
            if row_text is None or text is None:
                continue
            row = self.row(name, row_text)
            definition = self.damage.read(f"entry {name!r}", partial(Definition, text))
            if row is not None and definition is not None:
                found.append((name, row, definition))
        return found

    def row(self, name: str, text: bytes) -> Row | None:
        """Decode the next run of an entry from its text; if it is damaged, log this and return
        None."""
        try:
            return Row(text)
        except UNREADABLE as reason:
            self.damage.note(f"the plan of entry {name!r}", reason)
            return None

    def decoded(self, name: str, definition: Definition) -> Entry:
        """Decode the definition of an entry; raise ConfigError if this program cannot read it."""
        return self._codec.decode(name, definition.json, definition.source, definition.declared_at)

    def planned_entries(self, names: Sequence[str]) -> Iterator[PlannedEntry]:
        """Yield when these entries run, without those that are not planned, stopped or
        unreadable."""
        # Not read at one instant, which a script would be slower for: an edit in between only pairs
        # a moment with a newer schedule.
        client, keys = self._scripts.client, map(self._scripts.key, ("rows", "entries"))
        rows, texts = (self._scripts.ask(partial(client.hmget, key, names)) for key in keys)
        for name, row, text in zip(names, rows, texts, strict=True):
            if row is None or text is None:
                continue
            try:
                planned, _, flags, runs, *_ = row.split(b"\t")
                if flags != ENABLED or not planned:
                    continue
                packed = json.decode(text.split(b"\t", 1)[1], type=_PACKED)
                timing = self._codec.decode_timing(name, bytes(packed[2]))
                yield PlannedEntry.of(name, timing, moment_of(int(planned)), int(runs))
            except ConfigError:
                continue
            except UNREADABLE as reason:
                self.damage.note(f"entry {name!r}", reason)

    def streamed(self, name: str, row: Row, definition: Definition) -> Stored | None:
        """Return an entry with its next run, or None if it is unreadable, without caching the
        entry.

        A list of all entries therefore does not push the entries that run soon out of the cache.
        """
        known = self._known.get(name)
        if known is not None and known[0] == definition.revision:
            return None if known[1] is None else _stored(known[1], row)
        try:
            return _stored(self.decoded(name, definition), row)
        except ConfigError:
            return None

    def _remembered(self, name: str, definition: Definition) -> Entry | None:
        try:
            entry: Entry | None = self.decoded(name, definition)
        except ConfigError:
            entry = None
        # Plain values take up to six times the room of their JSON.
        size = 500 + 6 * len(definition.json)
        # An entry that this program cannot read is cached as None, and not decoded again.
        self._known.keep(name, (definition.revision, entry), size)
        return entry


def _stored(entry: Entry, row: Row) -> Stored:
    return Stored(entry, row.revision, row.paused, row.plan, row.runs, row.last)


def pages(names: Iterable[T], size: int = PAGE) -> Iterable[list[T]]:
    """Split names into lists of `size` names; the last list may be shorter."""
    page: list[T] = []
    for name in names:
        page.append(name)
        if len(page) >= size:
            yield page
            page = []
    if page:
        yield page
