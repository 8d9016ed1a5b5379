"""A lease that is one row of a SQL database, and a hint that shows at once if its holder is dead.

The row holds the end of the lease by the database's clock. The hint is a lock that belongs to a
session and dies with it. The leader holds the hint beside the row; a standby that obtains the hint
has proof that the leader's session is gone, and need not wait for the ttl. No session waits for the
hint, and no run depends on it: the term (the fencing number of a leader) keeps takeovers safe.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, ClassVar

from msgspec import DecodeError, Struct, json

from beatd.errors import StoreError
from beatd.leader import Holder

Row = Sequence[Any]


class LeaseRow(Struct, frozen=True):
    """The row of the lease as it was read.

    `holder` is the Holder as JSON, and `token` its token; both are empty if nobody has the lease.
    `hinted` is True if the holder had the hint as well. `until` is the end of the lease in
    microseconds by the database's clock, and differs after each renewal. `left` is the time until
    then in seconds.
    """

    holder: str
    token: str
    hinted: bool
    until: int
    left: float


class LeaseSession(ABC):
    """One connection to the database of the lock. Every method raises StoreError when its result is
    in doubt."""

    now_micros: ClassVar[str]  # SQL for the database's clock, in microseconds
    mark: ClassVar[str]  # the driver's placeholder for a value in a statement

    @abstractmethod
    def run(self, statement: str, values: tuple[Any, ...] = ()) -> tuple[Row | None, int]:
        """Run a statement with these values. Return the first row that it found (None if there is
        none), and the number of rows that it changed."""

    @abstractmethod
    def make_row(self) -> None:
        """Insert the row of the lease, without a holder, unless the row exists."""

    @abstractmethod
    def acquire_hint(self) -> bool:
        """Try to lock the hint, without waiting. The hint is a lock that the database frees when
        the session of its holder ends. True if this session holds the lock now."""

    @abstractmethod
    def release_hint(self) -> None: ...

    @abstractmethod
    def close(self) -> None: ...

    def read(self) -> LeaseRow | None:
        """Return the row of the lease, or None if it was deleted."""
        found, _ = self.run(
            f"SELECT holder, token, hinted, until, until - {self.now_micros} FROM beatd_lease"
            " WHERE name = 'leader'"
        )
        if found is None:
            return None
        holder, token, hinted, until, left = found
        return LeaseRow(holder, token, bool(hinted), until, left / 1_000_000)

    def write(
        self, seen: LeaseRow, holder: str, token: str, *, hinted: bool, seconds: float
    ) -> bool:
        """Replace the row of the lease if it is still as it was `seen`. `holder` is the new Holder
        as JSON, `token` is its token, and `hinted` is True if this session has the hint as well;
        the lease then ends `seconds` after the current time of the database.

        True if the row was replaced; False if it has changed since it was read, if only by a
        renewal.
        """
        mark = self.mark
        _, changed = self.run(
            f"UPDATE beatd_lease SET holder = {mark}, token = {mark}, hinted = {mark},"
            f" until = {self.now_micros} + {mark}"
            f" WHERE name = 'leader' AND token = {mark} AND until = {mark}",
            (holder, token, hinted, int(seconds * 1_000_000), seen.token, seen.until),
        )
        return changed > 0


class SqlLease:
    """A lease in any SQL database; several threads may use it. After an error it closes its
    session, so that the database also frees the hint (the lock of the session)."""

    def __init__(self, connect: Callable[[float], LeaseSession]) -> None:
        self._connect = connect
        self._session: LeaseSession | None = None
        self._has_hint = False
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

    def _take(self, session: LeaseSession, holder: Holder, ttl: float) -> Holder:
        """Win or renew the lease, or leave it to the daemon that has it; return its holder
        afterwards. The lease of another daemon is free when its time is over, or when that daemon
        had the hint (a lock of its session) and has lost it."""
        text = json.encode(holder).decode()
        while True:
            # The hint comes before the row: then the row that is read is as new as the proof.
            self._has_hint = self._has_hint or session.acquire_hint()
            row = session.read()
            if row is None:
                session.make_row()
                row = session.read()
            if row is None:
                raise StoreError(
                    "the row of beatd_lease cannot be made; see its triggers and rules"
                )
            # A holder that never had the hint proves nothing by not having it.
            dead = self._has_hint and row.hinted
            # A released row names nobody, and is free even if the database's clock was set back.
            anothers = row.token not in ("", holder.token)
            if anothers and row.left > 0 and not dead:
                self._release_hint(session)
                return holder_of(row)
            if session.write(row, text, holder.token, hinted=self._has_hint, seconds=ttl):
                return holder

    def release(self, holder: Holder) -> None:
        with self._lock:
            if self._session is None:
                return
            try:
                row = self._session.read()
                if row is not None and row.token == holder.token:
                    self._session.write(row, "", "", hinted=False, seconds=0)
                self._release_hint(self._session)
            except BaseException:
                self._drop()
                raise

    def _release_hint(self, session: LeaseSession) -> None:
        if self._has_hint:
            session.release_hint()
            self._has_hint = False

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        """Close the session, if there is one; the next `take` connects again."""
        session, self._session, self._has_hint = self._session, None, False
        if session is not None:
            session.close()


def holder_of(row: LeaseRow) -> Holder:
    """Return the Holder that the row of the lease names. Raises StoreError if the row's text is not
    a Holder."""
    try:
        return json.decode(row.holder, type=Holder)
    except DecodeError:
        raise StoreError("the row of beatd_lease names a holder in no form known here") from None
