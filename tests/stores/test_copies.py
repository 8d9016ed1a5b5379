"""The contract of Copies, kept by every store: what a copy of a store writes as it is."""

from collections.abc import Callable
from uuid import uuid4

from beatd.history import Record
from beatd.marks import CopiedTo, Mark
from beatd.store import Store, WrittenRecord
from tests.stores.making import at, holder, lead, past, put

Reopen = Callable[[], Store]
BEGUN, ONE, TWO = (Mark("copy", at(0), text) for text in ("0", "1", "2"))


def record(name: str, when: float) -> WrittenRecord:
    made = Record(name, at(when), "published", task_id=f"{when}", published=at(when), late=0.25)
    return WrittenRecord("", at(when), made)


def test_records_are_written_as_they_are_and_read_the_first_written_first(
    store: Store, reopen: Reopen
) -> None:
    some = [
        record("a", 1),
        WrittenRecord("", at(2), Record("b", at(2), "failed", "refused", "2", term=3)),
        WrittenRecord(
            "",
            at(4),
            Record(
                *("a", at(2), "skipped", "missed"),
                until=at(4), count=2, at_least=True, origin="backfill",
            ),
        ),
    ]  # fmt: skip
    store.write_mark(BEGUN)
    assert store.write_records(some, ONE, BEGUN) is True
    found = list(reopen().records(""))
    assert [(one.at, one.record) for one in found] == [(one.at, one.record) for one in some]
    assert [one.record for one in store.records(found[0].place)] == [one.record for one in some[1:]]
    assert list(store.records(found[-1].place)) == []
    assert past(store) == [one.record for one in reversed(some)]
    assert past(store, "a") == [some[2].record, some[0].record]
    assert store.forget(at(2), 100) == 1


def test_records_are_written_once_with_their_mark(store: Store) -> None:
    store.write_mark(BEGUN)
    for _ in range(2):
        assert store.write_records([record("a", 1)], ONE, BEGUN) is True
    assert store.write_records([record("a", 3)], TWO, BEGUN) is False
    assert store.read_mark("copy") == ONE
    assert store.write_records([record("a", 3)], TWO, ONE) is True
    assert len(past(store)) == 2 and list(store.all_marks()) == [TWO]


def test_a_store_is_marked_as_copied_until_the_mark_is_removed(
    store: Store, reopen: Reopen
) -> None:
    put(store)
    version, other = store.version(), reopen()
    assert other.marks.copied_to() is None
    store.marks.write_copied_to("redis://:***@new:6379/0", at(5))
    assert other.marks.copied_to() == CopiedTo("redis://:***@new:6379/0", at(5))
    assert store.version() == version, "no entry changed"
    store.marks.write_copied_to("", at(6))
    assert other.marks.copied_to() is None


def test_an_identity_is_written_and_terms_go_on_from_the_newest(
    store: Store, reopen: Reopen
) -> None:
    other, who = uuid4(), holder("old")
    term = lead(store)
    for _ in range(6):
        term = lead(store)
    store.write_identity(other, (term, who))
    assert store.namespace == reopen().namespace == other
    newest = store.term()
    assert newest is not None and newest[0].number == 7
    store.write_identity(other, (type(term)(41, "token"), who))
    newest = store.term()
    assert newest is not None and newest[0].number == 41 and newest[0].token != "token"
    assert newest[1] == who and lead(store).number == 42
    put(store)
