"""Keep how published runs ended, and which runs are running, in Redis.

This process combines worker reports with the known outcomes. The script that writes the result only
checks that these have not changed, so it is short and does not delay other scripts.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from secrets import token_hex

from msgspec import msgpack

from beatd.outcome import DELIVERY_ENDS, Delivery, EntryOutcome, OutcomeState, Written
from beatd.run import Running, micros
from beatd.run_outcome import by_age
from beatd.stores.redis.entry_reader import PAGE, Reader, pages
from beatd.stores.redis.outcome_batch import OutcomeBatch
from beatd.stores.redis.outcome_text import deliveries_of, entry_of
from beatd.stores.redis.script import Scripts

WRITTEN_AT_ONCE = 250  # Redis works on them for 2 to 3 ms


class RedisOutcomes:
    def __init__(self, scripts: Scripts, reader: Reader) -> None:
        self._scripts, self._reader = scripts, reader

    def write_outcomes(self, deliveries: Sequence[Delivery], at: datetime) -> Sequence[Written]:
        written: list[Written] = []
        for first in range(0, len(deliveries), WRITTEN_AT_ONCE):
            written += self._write_some(deliveries[first : first + WRITTEN_AT_ONCE], at)
        return written

    def _write_some(self, deliveries: Sequence[Delivery], at: datetime) -> list[Written]:
        while True:
            batch = self._known(deliveries)
            written = [batch.add(one, at) for one in deliveries]
            answer = f"answer:{token_hex(8)}"
            if self._scripts("write_outcomes", answer, micros(at), *batch.packed()):
                return written
            # Another writer was quicker: what it wrote is read, too.

    def _known(self, deliveries: Sequence[Delivery]) -> OutcomeBatch:
        batch = OutcomeBatch()
        task_ids = list(dict.fromkeys(one.task_id for one in deliveries))
        names = list(dict.fromkeys(one.name for one in deliveries))
        texts = self._scripts("known_outcomes", msgpack.encode((task_ids, names)))
        for task_id, text in zip(task_ids, texts, strict=False):
            batch.know_run(task_id, text, self._run(task_id, text))
        for name, text in zip(names, texts[len(task_ids) :], strict=True):
            batch.know_entry(name, text, self._entry(name, text))
        return batch

    def _run(self, task_id: str, text: bytes | None) -> list[Delivery] | None:
        if text is None:
            return None
        what = f"the outcome of the run {task_id}"
        return self._reader.damage.read(what, partial(deliveries_of, task_id, text))

    def _entry(self, name: str, text: bytes | None) -> EntryOutcome | None:
        if text is None:
            return None
        what = f"the outcome of entry {name!r}"
        return self._reader.damage.read(what, partial(entry_of, name, text))

    def outcomes(self, task_ids: Sequence[str]) -> Mapping[str, Sequence[Delivery]]:
        found = self._values("deliveries", task_ids)
        return {id: known for id, text in found if (known := self._run(id, text))}

    def live_deliveries(self, limit: int) -> Sequence[Delivery]:
        client, key = self._scripts.client, self._scripts.key("live")
        ids = self._scripts.ask(lambda: client.zrange(key, 0, limit - 1)) if limit > 0 else []
        runs = self.outcomes([id.decode(errors="replace") for id in ids]).values()
        live = [one for one in chain(*runs) if one.state not in DELIVERY_ENDS]
        return sorted(live, key=by_age)[:limit]

    def entry_outcomes(self, names: Sequence[str] | None) -> Mapping[str, EntryOutcome]:
        found = self._values("outcomes", names)
        return {name: known for name, text in found if (known := self._entry(name, text))}

    def entry_outcomes_in(self, states: Collection[OutcomeState]) -> Mapping[str, EntryOutcome]:
        # A search in the text takes a tenth of the time to decode it.
        words = [f'"{state}"'.encode() for state in states]
        found = (
            known
            for name, text in self._values("outcomes", None)
            if any(word in text for word in words) and (known := self._entry(name, text))
        )
        return {known.name: known for known in found if known.newest.state in states}

    def running(self, names: Sequence[str] | None) -> Mapping[str, Running]:
        if names is not None:
            return self._reader.running(names)
        found = self._values("running", None)
        return {name: run for name, text in found if (run := self._reader.run(name, text))}

    def _values(self, hash_name: str, fields: Sequence[str] | None) -> Iterator[tuple[str, bytes]]:
        client, key = self._scripts.client, self._scripts.key(hash_name)
        cursor = 0
        while fields is None:
            cursor, some = self._scripts.ask(
                lambda cursor=cursor: client.hscan(key, cursor, count=PAGE)  # type: ignore[misc]
            )
            yield from ((name.decode(errors="replace"), text) for name, text in some.items())
            if cursor == 0:
                return
        for page in pages(fields):
            texts = self._scripts.ask(lambda page=page: client.hmget(key, page))  # type: ignore[misc]
            yield from ((name, text) for name, text in zip(page, texts, strict=True) if text)

    def prolong(self, task_ids: Sequence[str], until: datetime) -> None:
        for page in pages(task_ids):
            self._scripts("prolong", msgpack.encode(page), micros(until))
