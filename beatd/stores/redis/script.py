"""The scripts: read from beside this file, sent whole once per server, and by their hash after."""

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


@cache
def _sources() -> dict[str, tuple[str, str]]:
    """Return the text and the hash of every script, by name.

    All are read when a store is opened: later there may be no descriptor left for reading one, or
    no file, while a new version of the package is installed.
    """
    folder = files("beatd.stores.redis") / "scripts"
    texts = {
        each.name.removesuffix(".lua"): each.read_text()
        for each in folder.iterdir()
        if each.name.endswith(".lua")
    }
    prelude = texts.pop("prelude")
    sources = {name: prelude + text for name, text in texts.items()}
    return {
        name: (source, sha1(source.encode(), usedforsecurity=False).hexdigest())
        for name, source in sources.items()
    }


class Scripts:
    """Runs scripts over the keys of one store; what goes wrong comes out as a StoreError."""

    def __init__(
        self, server: RedisServer, base: str, emptied: Callable[[bytes | None], StoreError]
    ) -> None:
        self._server, self.base, self._emptied = server, base, emptied
        self._sources = _sources()
        # The first never is there. A Cluster that moves our slot would send a script with one such
        # key to where the slot goes, as if we were empty; for two it says TRYAGAIN.
        self._keys = (2, base, f"{base}namespace")
        self._expected: bytes | None = None

    @property
    def client(self) -> Any:
        return self._server.client

    def expect(self, namespace: bytes) -> None:
        self._expected = namespace

    def seen(self, namespace: bytes | None) -> None:
        """Raises once when the store is not the one that was opened: it came back empty."""
        if namespace != self._expected:
            raise self._emptied(namespace)

    def __call__(self, name: str, *args: str | bytes | int) -> Any:
        """Twice when the connection broke: every script may be, it knows what it has done."""
        source, sha = self._sources[name]
        return self.ask(lambda: self._server.run_script(source, sha, *self._keys, *args))

    def begin(self, name: str, *args: str | bytes | int) -> Callable[[], Any]:
        """As a call, but only sent; what is returned waits for the answer."""
        _, sha = self._sources[name]
        return self._begun(
            lambda: self._server.begin("EVALSHA", sha, *self._keys, *args), name, *args
        )

    def ahead(self, name: str, *args: str | bytes | int, more: int) -> "Ahead | None":
        """All but the last words are sent; None where it cannot be now."""
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
                except (NoScriptError, ConnectionError):
                    pass
            return self(name, *args)

        return answer

    def ask(self, question: Callable[[], T]) -> T:
        self._server.notice_move()
        with self._server.answering():
            try:
                return question()
            except TimeoutError:
                raise  # It is not answering; another try would double the wait.
            except ConnectionError:
                # Most often a connection that died while nobody used it.
                return question()

    def key(self, name: str) -> str:
        return self.base + name


class Ahead(Struct, frozen=True):
    """A script that waits on its server for the last words; it is begun with them, or dropped."""

    begin: Callable[..., Callable[[], Any]]
    drop: Callable[[], None]
