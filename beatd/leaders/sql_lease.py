"""Make one daemon the leader by a row in a SQL database that is valid for a limited time.

A second lock, the hint, belongs to the leader's session: the database frees it when this session
ends. If a standby gets the hint, the leader is dead, and the standby need not wait until the row
expires. No session waits for the hint, and no run depends on it: the term (the fencing number of a
leader) makes takeovers safe.
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
    """The database row that says which daemon leads, and until when.

    `holder` is the daemon as JSON and `token` its random token; both are empty if no daemon leads.
    `until` is the end in microseconds by the database's clock, and `left` the seconds until then.
    `hinted` is True if the daemon also had the hint, a lock that is freed when its session ends.
    """

    holder: str
    token: str
    hinted: bool
    until: int
    left: float


class LeaseSession(ABC):
    """A connection to the database with the leader's row.

    Every method raises StoreError if its result is not certain.
    """

    now_micros: ClassVar[str]  # SQL for the database's clock, in microseconds
    mark: ClassVar[str]  # the driver's placeholder for a value in a statement

    @abstractmethod
    def run(self, statement: str, values: tuple[Any, ...] = ()) -> tuple[Row | None, int]:
        """Run a SQL statement; return its first row, if any, and the number of changed rows."""

    @abstractmethod
    def make_row(self) -> None:
        """Insert the row for the leader, which names no daemon yet, unless it exists."""

    @abstractmethod
    def acquire_hint(self) -> bool:
        """Try to get the hint, a lock that the database frees when its holder's session ends.

        Return True on success, else False; do not wait.
        """

    @abstractmethod
    def release_hint(self) -> None: ...

    @abstractmethod
    def close(self) -> None: ...

    def read(self) -> LeaseRow | None:
        """Return the leader's row, or None if it was deleted."""
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
        """Make a daemon the leader in the row, unless the row has changed since `seen` was read.

        Return True on success, else False. `holder` is the daemon as JSON and `token` its random
        token. `hinted` is True if this session has the hint, a lock that is freed when it ends. The
        row is valid for `seconds` from now.
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
    """The lock that makes one daemon the leader, as a row in a SQL database.

    Several threads may use it.
    """

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
                self._drop()  # so that the database frees the hint, too
                raise

    def _take(self, session: LeaseSession, holder: Holder, ttl: float) -> Holder:
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
            # Another daemon's row is free when its time is over, or when that daemon had the hint
            # and has lost it.
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
        session, self._session, self._has_hint = self._session, None, False
        if session is not None:
            session.close()


def holder_of(row: LeaseRow) -> Holder:
    """Return the daemon that the leader's row names.

    Raises StoreError if the row cannot be decoded.
    """
    try:
        return json.decode(row.holder, type=Holder)
    except DecodeError:
        raise StoreError("the row of beatd_lease names a holder in no form known here") from None
