"""Texts as stores keep them, written by other programs: definitions, marks, values of Redis."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise

from beatd.changes import Author, ChangeRecord, EntryState
from beatd.definition import codec, entry_from
from beatd.definition.arguments import same
from beatd.edits.request_arguments import ID_PREFIX, with_arguments
from beatd.errors import BeatError
from beatd.history import Record
from beatd.ledger import Request
from beatd.marks import Mark, Marks
from beatd.run import Occurrence, Running
from beatd.stores.damage import UNREADABLE
from beatd.stores.redis import change_text, outcome_text, row_text
from beatd.stores.redis.entry_reader import Definition
from beatd.views.change_rows import change_json, what_text
from tests.fuzz.target import Target
from tests.fuzz.targets.configuration import TYPE_WORDS, WORDS, definitions
from tests.fuzz.targets.texts import direct, run_times

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
ENTRY = entry_from("a", {"task": "t", "every": "1s"})
US = b"1795867200000000"


def _codec(data: bytes) -> str:
    timing = None
    try:
        timing = codec.decode_timing("a", data)
    finally:
        entry = codec.decode("a", data, "cli", "")
    assert timing is not None and timing.schedule == entry.schedule
    assert isinstance(entry.kwargs, dict) and isinstance(entry.options, dict)
    again = codec.decode("a", codec.encode(entry), "cli", "")
    assert same(again, entry)
    return run_times(entry.schedule)


def _encoded() -> Iterator[bytes]:
    yield from definitions()
    yield codec.encode(entry_from("a", {"task": "t", "cron": "H 2 * * *", "args": [NOON, b"x"]}))


class _OneMark:
    def __init__(self, text: str) -> None:
        self._text = text

    def read_mark(self, key: str) -> Mark | None:
        return Mark(key, NOON, self._text)

    def write_mark(self, mark: Mark) -> None:
        raise AssertionError("nothing is written")


def _mark(data: bytes) -> str:
    marks = Marks(_OneMark(data.decode(errors="replace")))
    made = with_arguments(marks)(ENTRY, ID_PREFIX + "x")
    assert isinstance(made.args, tuple) and isinstance(made.kwargs, dict)
    assert all(isinstance(key, str) for key in made.kwargs)
    codec.encode(made)
    silences = marks.silences()
    marks.conflicts("a")
    applied = marks.applied("a")
    return f"{made == ENTRY} {len(silences)} {applied is not None and applied.whole}"


def _record(data: bytes) -> object:
    cells = data.split(b"\n")
    names = (b"n", b"o", b"p", b"s", b"e", b"t", b"g")
    fields = [b"n", cells[0]]
    for name, cell in zip(names, cells[1:], strict=False):
        fields += [name, cell]
    return row_text.record_of(fields)


def _claim(data: bytes) -> object:
    key, _, text = data.partition(b"\n")
    return row_text.claimed_of(key, text, None)


def _change(data: bytes) -> str:
    before, _, after = data.decode(errors="replace").partition("\n")
    states = [EntryState(text, "cli") for text in (before, after)]
    record = ChangeRecord(
        id="1", at=NOON, name="a", action="edited", author=Author("ann"), before=states[0],
        after=states[1],
    )  # fmt: skip
    fields = change_json(record)["changed"]
    return f"{what_text(record, 'UTC')[:30]} {fields is None or len(fields)}"


_READERS: dict[bytes, Callable[[bytes], object]] = {
    b"row": row_text.Row,
    b"definition": Definition,
    b"claim": _claim,
    b"occurrence": row_text.occurrence_of,
    b"request": lambda data: row_text.request_of(b"id", data),
    b"running": row_text.running_of,
    b"record": _record,
    b"deliveries": lambda data: outcome_text.deliveries_of("id", data),
    b"outcome": lambda data: outcome_text.entry_of("a", data),
    b"pause": change_text.pause_of,
}


def _redis(data: bytes) -> str:
    kind, _, rest = data.partition(b"\n")
    read = _READERS.get(kind)
    if read is None:
        return "no such text"
    found = read(rest)
    if isinstance(found, Record):
        return f"record {found.state} {row_text.record_text(found) != ''} {found.lateness is None}"
    if isinstance(found, Running):
        return f"running {row_text.running_of(row_text.running_text(found).encode()) == found}"
    if isinstance(found, Request):
        return f"request {len(row_text.request_text(found)) > 0}"
    return f"{kind!r} {type(found).__name__}"


def _redis_texts() -> Iterator[bytes]:
    yield b"row\n%b\t3\te\t7\t%b\t\tmark\t1" % (US, US)
    yield b"row\n\t3\tdp\t0\t\t%b\tmark\t1" % US
    yield b'definition\n3\t["cli","",{"task":"t","every":"1s"}]'
    yield b"claim\n%b::a\n%b\t3\t5\tid\t%b\t1" % (US, US, US)
    yield b"occurrence\n%b:request:a:b" % US
    yield b"request\n" + row_text.request_text(Request("i", "a", "trigger", NOON, NOON, 3)).encode()
    yield b"running\n" + row_text.running_text(Running("id", NOON, NOON, True)).encode()
    for state, record in ((b"P", Record("a", NOON, "published", "", "id", NOON, 0.5)), (b"S", Record("a", NOON, "skipped", "why", until=NOON, count=4))):  # fmt: skip
        text = row_text.record_text(record).encode()
        closed = row_text.closes(Occurrence("a", NOON)).encode()
        yield b"record\n" + b"\n".join((b"a", b"", closed, state, b"3", text))
    yield b'pause\n%b\t["ann","note"]\t%b' % (US, US)
    yield b'pause\n%b\t%b\t["ann","note"]' % (US, US)


TARGETS = (
    Target(
        name="codec", about="the JSON of an entry in a store", seeds=_encoded, opened=direct(_codec),
        words=(*WORDS[:-18], *TYPE_WORDS, "source"), weight=2,
    ),
    Target(
        name="marks", about="notes in a store: arguments of a request, silences, conflicts",
        seeds=lambda: (b'{"args": [1, 2], "kwargs": {"a": 1}}', b'{"args": null, "kwargs": null}', b'{"args": [{"__type__": "date", "__value__": "2027-01-01"}], "kwargs": {}}', b'{"a": 1.5}', b"digest, under way"),
        opened=direct(_mark), words=("args", "kwargs", *TYPE_WORDS),
    ),
    Target(
        name="changes", about="two definitions of an entry in the record of an edit",
        seeds=lambda: (one + b"\n" + two for one, two in pairwise(definitions())),
        opened=direct(_change), words=(*WORDS[:-18], "\n"), weight=2,
    ),
    Target(
        name="redis-texts", about="the texts of Redis, each by its own function",
        seeds=_redis_texts, opened=direct(_redis), refusals=(*UNREADABLE, BeatError),
        words=("\t", ":", "-1", "e", "ep", "d", US.decode(), "9223372036854775807", "P", "S", "F"),
    ),
)  # fmt: skip
