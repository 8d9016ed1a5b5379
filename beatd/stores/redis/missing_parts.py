"""Find entries that are incomplete in Redis, and repair the indexes of names."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain

from msgspec import msgpack

from beatd.catalog import MissingPart
from beatd.errors import ConfigError
from beatd.stores.redis.entry_reader import PAGE, Definition, Reader, pages
from beatd.stores.redis.script import Scripts


class RedisMissingParts:
    def __init__(self, scripts: Scripts, reader: Reader) -> None:
        self._scripts, self._reader = scripts, reader

    def misses_parts(self) -> bool:
        """Return True if some entry may have lost its definition or next run, as their numbers
        differ."""
        return len(set(self._scripts("parts"))) > 1

    def missing_parts(self, limit: int, *, whole: bool) -> Sequence[MissingPart]:
        return self._scripts.ask(lambda: self._found(limit)) if self.misses_parts() else []

    def _found(self, limit: int) -> list[MissingPart]:
        found: dict[str, MissingPart] = {}
        for page in pages(self._all_names()):
            for part in self._missing_of(page):
                found[part.name] = part
            if len(found) >= limit:
                break
        return list(found.values())[:limit]

    def _all_names(self) -> Iterator[str]:
        client, key = self._scripts.client, self._scripts.key
        hashes = (client.hscan_iter(key(name), count=PAGE) for name in ("rows", "entries"))
        sources = client.smembers(key("sources"))
        # An owner that is not UTF-8 is damaged, too, and has no list.
        owners = (source.decode(errors="replace") for source in sources)
        lists = [key("plan"), *(key(f"names:{owner}") for owner in owners)]
        sets = (client.zscan_iter(name, count=PAGE) for name in lists)
        # A name that is not UTF-8 is damaged: no entry is found for it, and it is left as it is.
        # A name occurs once for each part that it has.
        return (name.decode(errors="replace") for name, _ in chain(*hashes, *sets))

    def _missing_of(self, names: Sequence[str]) -> Iterator[MissingPart]:
        definitions = self._definitions(names)
        sources = [one.source if (one := definitions.get(name)) else "" for name in names]
        # The script also adds complete entries to the indexes, and deletes names without an entry.
        reply = self._scripts("missing_parts", msgpack.encode(names), msgpack.encode(sources))
        for name, left in zip(map(bytes.decode, reply[::2]), reply[1::2], strict=True):
            if left == b"row":
                yield MissingPart(name, None)
            elif name in definitions:
                try:
                    entry = self._reader.decoded(name, definitions[name])
                    yield MissingPart(name, entry, left == b"paused")
                except ConfigError:
                    continue  # only a newer program can read and plan it

    def _definitions(self, names: Sequence[str]) -> dict[str, Definition]:
        client, key = self._scripts.client, self._scripts.key("entries")
        found = self._scripts.ask(lambda: client.hmget(key, names))
        read = {
            name: self._reader.damage.read(f"entry {name!r}", partial(Definition, text))
            for name, text in zip(names, found, strict=True)
            if text is not None
        }
        return {name: one for name, one in read.items() if one is not None}
