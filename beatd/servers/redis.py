"""Connect to Redis by a URL: a single server, a primary behind Sentinels, or a Cluster."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import local
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import (
    AuthenticationError,
    ClusterDownError,
    ClusterError,
    ConnectionError,
    MasterDownError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import TimeoutError as NoAnswer
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError

from beatd.errors import ConfigError, StoreError, StoreUnusable
from beatd.servers.redis_command import RedisCommand
from beatd.servers.redis_url import (
    database_number,
    for_redis_py,
    hosts,
    place,
    service_and_database,
)
from beatd.servers.sentinel import ANSWER_TIMEOUT_S, PrimaryWatch, Sentinels

PASSING_ERRORS = (MasterDownError, TryAgainError, ClusterDownError, OutOfMemoryError)
TLS_FILES = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")
URL_TIMEOUTS = ("socket_timeout", "socket_connect_timeout", "health_check_interval")


def unreadable_files(options: Mapping[str, Any]) -> str:
    """Return a text for an error message that names the TLS files that cannot be read, or "".

    An error of connecting itself does not name them.
    """
    paths = {name: str(options[name]) for name in TLS_FILES if options.get(name)}
    wrong = [f"{name} {path}" for name, path in paths.items() if not os.access(path, os.R_OK)]
    return f" ({', '.join(wrong)}: cannot be read)" if wrong else ""


class RedisServer:
    """A connection to Redis: one server, a Sentinel group or a Cluster.

    `client` has a time-out for every wait and does not retry. On a Cluster, it follows a moved slot
    once.
    """

    def __init__(self, url: str, *, timeout: float = 2.0) -> None:
        parts = urlsplit(url)
        self._scheme = parts.scheme.lower()
        kind, _, form = self._scheme.partition("+")
        self.is_cluster, self._is_sentinel = form == "cluster", "sentinel" in self._scheme
        self.primary: PrimaryWatch | None = None  # behind Sentinels
        self._thread = local()  # `moves`: how many changes of the primary a thread has noticed
        self._options: dict[str, Any] = {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "retry": Retry(NoBackoff(), 0),
            "retry_on_error": [],
            "protocol": 2,
            "client_name": "beatd",
        }
        try:
            self._given = given = dict(parse_qsl(parts.query))
            if self.is_cluster:
                self.client: Any = self._cluster(kind, parts, given)
            elif self._is_sentinel:
                self.client = self._sentinel(kind, parts, given)
                self.primary = PrimaryWatch(self.client.connection_pool)
            else:
                self.place = place(url)
                if self._scheme in ("redis", "rediss"):
                    database_number(parts.path.strip("/"), "redis://HOST:6379/DB")
                self.client = redis.Redis.from_url(for_redis_py(url), **self._options)
        except (ValueError, TypeError) as trouble:
            raise ConfigError(f"{place(url)}: not a Redis URL: {trouble}") from None

    def _shared(self, kind: str, parts: Any, given: dict[str, str]) -> dict[str, Any]:
        # For a Sentinel or Cluster URL. `kind` is "redis" or "rediss"; `given` are the URL's
        # parameters.
        options = dict(self._options)
        if parts.username:
            options["username"] = unquote(parts.username)
        if parts.password:
            options["password"] = unquote(parts.password)
        if kind == "rediss" or given.get("ssl", "").lower() in ("true", "1", "yes"):
            options["ssl"] = True
        for name, value in given.items():
            if name.startswith("ssl_"):
                options[name] = _plain(value)
            elif name in URL_TIMEOUTS:
                options[name] = float(value)
        return options

    def _cluster(self, kind: str, parts: Any, given: dict[str, str]) -> Any:
        found = hosts(parts.netloc, 6379)
        nodes: list[Any] = [ClusterNode(*at) for at in found]  # type: ignore[no-untyped-call]
        self.place = f"{self._scheme}://{','.join(f'{h}:{p}' for h, p in found)}"
        # redis-py looks once for where the slot has gone; the caller retries.
        options = self._shared(kind, parts, given) | {"retry": Retry(NoBackoff(), 1)}
        with self.answering():
            return RedisCluster(startup_nodes=nodes, require_full_coverage=False, **options)

    def _sentinel(self, kind: str, parts: Any, given: dict[str, str]) -> Any:
        found = hosts(parts.netloc, 26379)
        service, db = service_and_database(parts.path, given)
        self.place = f"{self._scheme}://{';'.join(f'{h}:{p}' for h, p in found)}/{service}"
        options = self._shared(kind, parts, given)
        to_sentinels = {k: v for k, v in options.items() if k not in ("username", "password")}
        for name in ("socket_timeout", "socket_connect_timeout"):
            to_sentinels[name] = min(to_sentinels[name], ANSWER_TIMEOUT_S)
        for name in ("username", "password"):
            if f"sentinel_{name}" in given:
                to_sentinels[name] = given[f"sentinel_{name}"]
        sentinels: Any = Sentinels(found, sentinel_kwargs=to_sentinels, **options)  # type: ignore[no-untyped-call]
        return sentinels.master_for(service, db=db)

    def notice_move(self) -> None:
        """Raise StoreError if Redis has another primary server than at this thread's last call.

        The last writes may be lost then. Do nothing without Sentinels.
        """
        if self.primary is None:
            return
        moves = self.primary.moves
        seen, self._thread.moves = getattr(self._thread, "moves", moves), moves
        if seen != moves:
            host, port = self.primary.named or ("", 0)
            raise StoreError(
                f"{self.place}: the primary is {host}:{port} now; writes that only the last one "
                "has are lost"
            )

    def run_script(self, source: str, sha: str, *words: str | bytes | int) -> Any:
        """Run a Lua script and return its reply.

        `sha` is its SHA-1 hash; `words` are the number of keys, the keys, and the arguments.
        """
        try:
            return self.client.execute_command("EVALSHA", sha, *words)
        except NoScriptError:
            return self.client.execute_command("EVAL", source, *words)

    def begin(self, *command: Any) -> Callable[[], Any]:
        """Send a command and return a function that waits for the reply and returns it.

        This does not work on a Cluster.
        """
        begun = RedisCommand(self.client.connection_pool)
        begun.send(*command)
        return begun.reply

    def begin_ahead(self, *command: Any, more: int) -> RedisCommand:
        """Send all of a command except its last `more` words.

        Redis waits until `finish` of the returned object sends these.
        """
        begun = RedisCommand(self.client.connection_pool)
        begun.send(*command, more=more)
        return begun

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Run the block, and raise its errors of Redis or the network as StoreError.

        If waiting cannot help, the error is StoreUnusable.
        """
        try:
            yield
        except (AuthenticationError, NoPermissionError) as trouble:
            raise StoreUnusable(f"{self.place}: {_line(trouble)}") from None
        except ReadOnlyError as trouble:
            # During a failover the old primary is a replica for a while.
            kind = StoreError if self._is_sentinel or self.is_cluster else StoreUnusable
            raise kind(f"{self.place}: a read-only replica: {_line(trouble)}") from None
        except (NoAnswer, TimeoutError) as trouble:
            raise StoreError(f"{self.place}: no answer in time: {_line(trouble)}") from None
        except MasterNotFoundError:
            text = "no Sentinel answers that knows a master of this name"
            text += unreadable_files(self._given)
            raise StoreError(f"{self.place}: {text}") from None
        except PASSING_ERRORS as trouble:
            raise StoreError(f"{self.place}: {_line(trouble)}") from None
        except (ConnectionError, ClusterError, RedisClusterException, OSError) as trouble:
            if "TTL exhausted" in str(trouble):  # redis-py's words for a TRYAGAIN that does not end
                text = "the Cluster moves the slot of beatd to another node"
                raise StoreError(f"{self.place}: {text}; beatd waits for it") from None
            # A Cluster's error of connecting hides what a node answered.
            cause = trouble.__cause__ if isinstance(trouble, RedisClusterException) else None
            if isinstance(cause, (AuthenticationError, NoPermissionError)):
                raise StoreUnusable(f"{self.place}: {_line(cause)}") from None
            text = f"cannot be reached: {_line(trouble)}{unreadable_files(self._given)}"
            raise StoreError(f"{self.place}: {text}") from None
        except ResponseError as trouble:
            raise self._refusal(trouble) from None
        except RedisError as trouble:
            raise StoreError(f"{self.place}: {_line(trouble)}") from None

    def _refusal(self, trouble: ResponseError) -> StoreError:
        # The result is StoreUnusable if waiting cannot help.
        text = _line(trouble)
        if "WRONGTYPE" in text:
            return StoreUnusable(
                f"{self.place}: keys of another program lie under the prefix of beatd ({text}); "
                "try another key prefix or db"
            )
        if "WRONGPASS" in text or "NOPERM" in text or "can't run this command" in text:
            return StoreUnusable(f"{self.place}: {text}")
        if "DB index is out of range" in text or "unknown command" in text:
            return StoreUnusable(f"{self.place}: {text}")
        return StoreError(f"{self.place}: {text}")

    def close(self) -> None:
        if self.primary is not None:
            self.primary.close()
        with suppress(RedisError, OSError):
            self.client.close()


def _line(trouble: BaseException) -> str:
    return " ".join(str(trouble).split()) or type(trouble).__name__


def _plain(value: str) -> Any:
    # Only the texts "true" and "false" are converted.
    return {"true": True, "false": False}.get(value.lower(), value)
