"""Read and delete the records of who changed which entry, and find pauses that end, in Redis."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from beatd.changes import ChangeRecord
from beatd.run import micros
from beatd.stores.damage import Damage
from beatd.stores.redis.change_text import change_of, fields_of
from beatd.stores.redis.row_text import is_stream_id
from beatd.stores.redis.script import Scripts

PAGE = 500


class RedisChanges:
    def __init__(self, scripts: Scripts, damage: Damage) -> None:
        self._scripts, self._damage = scripts, damage

    def changes(self, name: str | None, limit: int, before: str = "") -> Sequence[ChangeRecord]:
        if before and not is_stream_id(before):
            return []
        found: list[ChangeRecord] = []
        while (size := min(PAGE, limit - len(found))) > 0:
            page = self._page(name, size, before)
            found += filter(None, map(self._read, page))
            if len(page) < size:
                break
            before = _text(page[-1][0])  # a damaged record may be the last one
        return found

    def _page(self, name: str | None, size: int, before: str) -> Sequence[Any]:
        if name is not None:
            return self._scripts("changes", name, size, before)  # type: ignore[no-any-return]
        client, key = self._scripts.client, self._scripts.key("changes")
        newest = f"({before}" if before else "+"
        return self._scripts.ask(
            lambda: client.execute_command("XREVRANGE", key, newest, "-", "COUNT", size)
        )

    def change(self, id: str) -> ChangeRecord | None:
        if not is_stream_id(id):
            return None
        client, key = self._scripts.client, self._scripts.key("changes")
        found = self._scripts.ask(lambda: client.execute_command("XRANGE", key, id, id))
        return self._read(found[0]) if found else None

    def _read(self, element: Any) -> ChangeRecord | None:
        id = _text(element[0])
        return self._damage.read(
            f"the record of change {id}", lambda: change_of(id, fields_of(element[1]))
        )

    def forget_changes(self, before: datetime, keep: int) -> int:
        dropped = 0
        while True:
            batch: int = self._scripts("forget_changes", micros(before), keep, PAGE)
            dropped += batch
            if batch < PAGE:
                return dropped

    def ending_pauses(self, before: datetime, limit: int) -> Sequence[str]:
        found = self._scripts("ending_pauses", micros(before), limit)
        read = (
            self._damage.read(f"the name {name!r}", partial(bytes.decode, name)) for name in found
        )
        return [name for name in read if name is not None]


def _text(id: Any) -> str:
    return id.decode() if isinstance(id, bytes) else str(id)
