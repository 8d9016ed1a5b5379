"""Copy one store into another: read and write the content of a store in Redis unchanged."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from secrets import token_hex
from typing import Any
from uuid import UUID

from msgspec import json, msgpack

from beatd.changes import ChangeRecord
from beatd.errors import StoreError
from beatd.leader import Holder, Term
from beatd.marks import Mark
from beatd.outcome import EntryOutcome
from beatd.run import Running, micros
from beatd.store import WrittenRecord
from beatd.stores.redis.change_text import change_texts
from beatd.stores.redis.entry_reader import pages
from beatd.stores.redis.history import PAGE, RedisHistory
from beatd.stores.redis.outcome_text import entry_text
from beatd.stores.redis.row_text import STATES, record_text, running_text
from beatd.stores.redis.script import Scripts

LETTERS = {state: letter.decode() for letter, state in STATES.items()}
Line = tuple[str, str, str, str, str, str]


class RedisCopies(RedisHistory):
    _namespace: UUID
    _scripts: Scripts

    @property
    def most_records(self) -> None:
        return None

    def records(self, after: str) -> Iterator[WrittenRecord]:
        client, key = self._scripts.client, self._scripts.key("history")
        with suppress(StoreError):  # a full Redis writes no line; the older ones are readable
            while self._scripts("write_up", PAGE):
                pass
        oldest = f"({after}" if after else "-"
        while True:
            page = self._scripts.ask(
                lambda oldest=oldest: client.execute_command(  # type: ignore[misc]
                    "XRANGE", key, oldest, "+", "COUNT", PAGE
                )
            )
            for line in page:
                place = _text(line[0])
                for at, record in self._told([line]):
                    yield WrittenRecord(place, at, record)
            if len(page) < PAGE:
                return
            oldest = f"({_text(page[-1][0])}"

    def write_records(self, records: Sequence[WrittenRecord], mark: Mark, seen: Mark) -> bool:
        lines = msgpack.encode(list(map(_line, records)))
        return bool(
            self._scripts(
                "write_records", mark.key, json.encode(seen), json.encode(mark), lines
            )
        )  # fmt: skip

    def write_changes(self, records: Sequence[ChangeRecord]) -> None:
        for page in pages(map(change_texts, records), PAGE):
            self._scripts("write_changes", msgpack.encode(page))

    def write_entry_outcomes(self, outcomes: Sequence[EntryOutcome]) -> None:
        self._put("outcomes", {outcome.name: entry_text(outcome) for outcome in outcomes})

    def write_running(self, running: Mapping[str, Running]) -> None:
        self._put("running", {name: running_text(run) for name, run in running.items()})
        self._put("running_of", {run.task_id: name for name, run in running.items()})

    def _put(self, hash_name: str, values: Mapping[str, str]) -> None:
        client, key = self._scripts.client, self._scripts.key(hash_name)
        for page in pages(values):
            some = {field: values[field] for field in page}
            self._scripts.ask(partial(client.hset, key, mapping=some))

    def all_marks(self) -> Sequence[Mark]:
        client, key = self._scripts.client, self._scripts.key("applied")
        texts = self._scripts.ask(lambda: client.hvals(key))
        found = (self._damage.read("a mark", partial(json.decode, t, type=Mark)) for t in texts)
        return [mark for mark in found if mark is not None]

    def write_identity(self, namespace: UUID, newest: tuple[Term, Holder] | None) -> None:
        client, term_key = self._scripts.client, self._scripts.key("term")
        key = self._scripts.key("namespace")
        self._scripts.ask(lambda: client.set(key, namespace.hex))
        self._namespace = namespace
        self._scripts.expect(namespace.hex.encode())
        if newest is None:
            return
        number = self._scripts.ask(lambda: client.hget(term_key, "number"))
        if newest[0].number > int(number or 0):
            fields = {
                "number": newest[0].number,
                "token": token_hex(16),
                "holder": json.encode(newest[1]),
            }
            self._scripts.ask(lambda: client.hset(term_key, mapping=fields))


def _line(written: WrittenRecord) -> Line:
    record = written.record
    return (
        record.name,
        LETTERS[record.state],
        str(micros(written.at)),
        str(record.term),
        record_text(record),
        record.origin,
    )


def _text(id: Any) -> str:
    return id.decode() if isinstance(id, bytes) else str(id)
