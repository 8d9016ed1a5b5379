"""Read and write how far a copy of a store has come; the target store keeps this as a note."""

from datetime import datetime

from msgspec import DecodeError, Struct, json

from beatd.marks import Mark
from beatd.store import Roles

COPY_KEY = "store copy"


class CopyState(Struct, frozen=True):
    """How far the copy of a store has come, as noted in the target store.

    `namespace`, `version` and `term` (the number of the last leader) show that the source is still
    the same. `after` is the place of the last copied history record in the source.
    """

    namespace: str
    version: str
    term: int
    after: str = ""
    is_done: bool = False


def state_of(source: Roles) -> CopyState:
    newest = source.terms.term()
    return CopyState(
        source.requests.namespace.hex,
        source.catalog.version(),
        newest[0].number if newest else 0,
    )


def state_mark(target: Roles) -> Mark | None:
    return target.copies.read_mark(COPY_KEY)


def read_state(target: Roles) -> CopyState | None:
    mark = state_mark(target)
    try:
        return None if mark is None else json.decode(mark.text, type=CopyState)
    except DecodeError:
        return None


def write_state(target: Roles, state: CopyState, at: datetime) -> None:
    target.copies.write_mark(mark_of(state, at))


def mark_of(state: CopyState, at: datetime) -> Mark:
    return Mark(COPY_KEY, at, json.encode(state).decode())
