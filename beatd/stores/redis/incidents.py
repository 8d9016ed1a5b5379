"""Keep incidents, which are problems that last for some time, in Redis.

A hash has their JSON, and sorted sets have their ids by opening and end.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from secrets import token_hex

from msgspec import json

from beatd.incident import Incident, writes_of
from beatd.run import micros
from beatd.stores.damage import Damage
from beatd.stores.redis.entry_reader import PAGE, pages
from beatd.stores.redis.row_text import text_of
from beatd.stores.redis.script import Scripts


class RedisIncidents:
    def __init__(self, scripts: Scripts, damage: Damage) -> None:
        self._scripts, self._damage = scripts, damage

    def open_incidents(self) -> list[Incident]:
        client, key = self._scripts.client, self._scripts.key("incidents_open")
        return list(self._with_ids(self._scripts.ask(lambda: client.zrange(key, 0, -1))))

    def put_incidents(self, incidents: Sequence[Incident]) -> list[bool]:
        written: list[bool] = []
        for part in writes_of(incidents):
            cells = [cell for one in part for cell in _cells(one)]
            answer: bytes = self._scripts("put_incidents", f"answer:{token_hex(8)}", *cells)
            written += [digit == b"1"[0] for digit in answer]
        return written

    def incidents(self, name: str | None, limit: int | None) -> Iterator[Incident]:
        client, key = self._scripts.client, self._scripts.key("incidents_opened")
        last = -1 if limit is None or name is not None else limit - 1
        if limit == 0:
            return iter(())
        ids = self._scripts.ask(lambda: client.zrevrange(key, 0, last))
        if name is not None:
            ids = [id for id in ids if id.split(b":", 2)[2:] == [name.encode()]]
        return islice(self._with_ids(ids), limit)

    def _with_ids(self, ids: Sequence[bytes]) -> Iterator[Incident]:
        client, key = self._scripts.client, self._scripts.key("incidents")
        for page in pages(ids):
            texts = self._scripts.ask(lambda page=page: client.hmget(key, page))  # type: ignore[misc]
            for id, text in zip(page, texts, strict=True):
                read = partial(_incident, text)
                found = text and self._damage.read(f"the incident {id!r}", read)
                if found:
                    yield found

    def forget_incidents(self, before: datetime) -> int:
        dropped = 0
        while True:
            batch: int = self._scripts("forget_incidents", micros(before), PAGE)
            dropped += batch
            if batch < PAGE:
                return dropped


def _cells(incident: Incident) -> tuple[str | bytes | int, ...]:
    lasts = incident.closed is None or incident.resolved is None
    # In the order in which `put_incidents.lua` reads them.
    return (
        _id(incident),
        f"{incident.kind}:{incident.name}",
        incident.revision,
        micros(incident.opened),
        text_of(incident.closed),
        json.encode(incident),
        "1" if lasts else "",
    )


def _id(incident: Incident) -> str:
    return f"{micros(incident.opened)}:{incident.kind}:{incident.name}"


def _incident(text: bytes) -> Incident:
    # The text is the revision, a tab, and JSON.
    return json.decode(text.split(b"\t", 1)[1], type=Incident)
