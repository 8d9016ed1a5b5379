"""Run the Lua scripts of a store in Redis.

The full text of a script is sent to a server once; later calls send only its hash.
"""

from collections.abc import Callable
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Any, TypeVar

from msgspec import Struct
from redis.exceptions import ConnectionError, NoScriptError, RedisError, TimeoutError

from beatd.errors import StoreError
from beatd.servers.redis import RedisServer

T = TypeVar("T")
#: Parts that several scripts share, and the scripts that have them, in the order of the parts.
PARTS = {
    "running": frozenset({"moves", "plain", "prolong", "record", "write", "write_outcomes"}),
    "walk": frozenset({"lines", "newest_lines"}),
    "pauses": frozenset({"ending_pauses", "write", "write_changes"}),
    "change_walk": frozenset({"changes", "write", "write_changes"}),
    "change_records": frozenset({"write", "write_changes"}),
}


@cache
def _sources() -> dict[str, tuple[str, str]]:
    # All files are read when a store is opened: later, no file descriptor may be free, or an
    # upgrade may have removed the files.
    folder = files("beatd.stores.redis") / "scripts"
    texts = {
        each.name.removesuffix(".lua"): each.read_text()
        for each in folder.iterdir()
        if each.name.endswith(".lua")
    }
    prelude, parts = texts.pop("prelude"), {part: texts.pop(part) for part in PARTS}
    sources = {
        name: "".join((prelude, *(parts[part] for part in PARTS if name in PARTS[part]), text))
        for name, text in texts.items()
    }
    return {
        name: (source, sha1(source.encode(), usedforsecurity=False).hexdigest())
        for name, source in sources.items()
    }


class Scripts:
    """Runs the Lua scripts of one store in Redis, and raises errors of Redis as StoreError."""

    def __init__(
        self, server: RedisServer, base: str, emptied: Callable[[bytes | None], StoreError]
    ) -> None:
        self._server, self.base, self._emptied = server, base, emptied
        self._sources = _sources()
        # The first key never exists. A Cluster that moves our slot would send a script with one
        # missing key to the new server, which has no data yet; with two keys it answers TRYAGAIN.
        self._keys = (2, base, f"{base}namespace")
        self._expected: bytes | None = None

    @property
    def client(self) -> Any:
        return self._server.client

    def expect(self, namespace: bytes) -> None:
        """Set the UUID that the store must have; `seen` compares it with the UUID in Redis."""
        self._expected = namespace

    def seen(self, namespace: bytes | None) -> None:
        """Raise an error if the UUID in Redis, `namespace`, is not the one that the store must
        have.

        None shows that Redis lost its data, another UUID that it has another store. The function
        `emptied` makes the error.
        """
        if namespace != self._expected:
            raise self._emptied(namespace)

    def __call__(self, name: str, *args: str | bytes | int) -> Any:
        """Run the script `name` and return its reply. Raise StoreError if it fails.

        If the connection breaks, the script runs once more; that is safe for every script.
        """
        source, sha = self._sources[name]
        return self.ask(lambda: self._server.run_script(source, sha, *self._keys, *args))

    def begin(self, name: str, *args: str | bytes | int) -> Callable[[], Any]:
        """Send a script to the server, and return a function that waits for its reply and returns
        it.

        Both may raise StoreError.
        """
        _, sha = self._sources[name]
        return self._begun(
            lambda: self._server.begin("EVALSHA", sha, *self._keys, *args), name, *args
        )

    def ahead(self, name: str, *args: str | bytes | int, more: int) -> "Ahead | None":
        """Send a script early, without its last arguments, so that starting it later is faster.

        It starts when the result's `begin` sends the `more` last arguments. Return None if the
        connection cannot be used now.
        """
        _, sha = self._sources[name]
        try:
            begun = self._server.begin_ahead("EVALSHA", sha, *self._keys, *args, more=more)
        except (RedisError, OSError):
            return None

        def begin(*last: str) -> Callable[[], Any]:
            words = map(str.encode, last)
            return self._begun(lambda: begun.finish(*words), name, *args, *last)

        return Ahead(begin, begun.drop)

    def _begun(
        self, begin: Callable[[], Callable[[], Any]], name: str, *args: str | bytes | int
    ) -> Callable[[], Any]:
        with self._server.answering():
            try:
                reply = begin()
            except ConnectionError:
                return lambda: self(name, *args)

        def answer() -> Any:
            with self._server.answering():
                try:
                    return reply()
                # Every script may run a second time with the same arguments.
                except (NoScriptError, ConnectionError):
                    pass
            return self(name, *args)

        return answer

    def ask(self, question: Callable[[], T]) -> T:
        """Return the result of `question`, a function that queries Redis, and retry it once if
        needed.

        It is called once more after a broken connection, but not after a time-out. Raise StoreError
        if it fails, or if another server became the primary since this thread's last call.
        """
        self._server.notice_move()
        with self._server.answering():
            try:
                return question()
            except TimeoutError:
                raise  # The server does not answer; another try would double the wait.
            except ConnectionError:
                # Most often a connection that died while nobody used it.
                return question()

    def key(self, name: str) -> str:
        return self.base + name


class Ahead(Struct, frozen=True):
    """A script that was sent to Redis early, without its last arguments, so that it starts faster.

    `begin` sends them and returns a function that waits for the reply; `drop` discards the script.
    """

    begin: Callable[..., Callable[[], Any]]
    drop: Callable[[], None]
