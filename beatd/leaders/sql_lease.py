"""A lease that is one row, by the database's clock, and the hint that its holder is dead.

The hint is a lock that belongs to a session and dies with it. The leader holds it beside the row; a
standby that obtains it has proof that the leader's session is gone, and need not wait for the ttl.
It is asked for, never waited for, and no run depends on it: the ledger's term keeps takeovers safe.
"""

from collections.abc import Callable
from threading import Lock
from typing import Protocol

from msgspec import DecodeError, Struct, json

from beatd.errors import StoreError
from beatd.leader import Holder


class LeaseRow(Struct, frozen=True):
    """The row as it was read: `until` tells one renewal from the next, `left` is in seconds, and
    `hinted` is whether its holder held the session lock."""

    holder: str
    token: str
    hinted: bool
    until: int
    left: float


class Session(Protocol):
    """One connection to the lock's database; everything on it raises StoreError in doubt."""

    def read(self) -> LeaseRow | None:
        """None where the row was deleted."""

    def make_row(self) -> None:
        """A row that nobody holds, unless there is one."""

    def write(
        self, seen: LeaseRow, holder: str, token: str, *, hinted: bool, seconds: float
    ) -> bool:
        """Put it in the place of the row seen, for so long from the database's now; False if that
        has changed since, if only by a renewal."""

    def grasp(self) -> bool:
        """Hold the session lock, if nobody else does; never waits."""

    def let_go(self) -> None: ...

    def close(self) -> None: ...


class SqlLease:
    """Thread-safe. Any error closes the session, and with it goes the hint."""

    def __init__(self, connect: Callable[[float], Session]) -> None:
        self._connect = connect
        self._session: Session | None = None
        self._grasped = False
        self._lock = Lock()

    def take(self, holder: Holder, ttl: float) -> Holder:
        with self._lock:
            try:
                if self._session is None:
                    self._session = self._connect(ttl)
                return self._take(self._session, holder, ttl)
            except BaseException:
                self._drop()
                raise

    def _take(self, session: Session, holder: Holder, ttl: float) -> Holder:
        text = json.encode(holder).decode()
        while True:
            # First the lock, then the row: what is read is then as new as the proof.
            self._grasped = self._grasped or session.grasp()
            row = session.read()
            if row is None:
                session.make_row()
                row = session.read()
            if row is None:
                raise StoreError(
                    "the row of beatd_lease cannot be made; see its triggers and rules"
                )
            # A holder that never had the lock proves nothing by not having it.
            dead = self._grasped and row.hinted
            # A released row names nobody, and is free even if the database's clock was set back.
            taken = row.token not in ("", holder.token)
            if taken and row.left > 0 and not dead:
                if self._grasped:
                    session.let_go()
                    self._grasped = False
                return held_by(row)
            if session.write(row, text, holder.token, hinted=self._grasped, seconds=ttl):
                return holder

    def release(self, holder: Holder) -> None:
        with self._lock:
            if self._session is None:
                return
            try:
                row = self._session.read()
                if row is not None and row.token == holder.token:
                    self._session.write(row, "", "", hinted=False, seconds=0)
                if self._grasped:
                    self._session.let_go()
                    self._grasped = False
            except BaseException:
                self._drop()
                raise

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        session, self._session, self._grasped = self._session, None, False
        if session is not None:
            session.close()


def held_by(row: LeaseRow) -> Holder:
    try:
        return json.decode(row.holder, type=Holder)
    except DecodeError:
        raise StoreError("the row of beatd_lease names a holder in no form known here") from None
